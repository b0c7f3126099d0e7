/**
 * The signer's side of the pipe. The first line opens the purse; each further one is a request with a number, answered in order. A line that is no message at all, or too
 * long, is not from our program: the keys are overwritten and the process ends. So it does when the pipe ends, and with it the program.
 * @module
 */
import type { Readable, Writable } from 'node:stream'
import { unlock } from '../unlock.ts'
import { wireErrorOf } from './answer-codec.ts'
import { openGasMeter } from './gas-meter.ts'
import { fault, fieldsOf } from './json-fields.ts'
import { decodeOpen, decodeRequest } from './request-codec.ts'
import { createSignerCore } from './signer-core.ts'
import type { AskSigner, SignerAnswer } from './verbs.ts'
import { createLineReader, formatMessage } from './wire-json.ts'

/** Serves until the pipe ends or the purse is locked; resolves when the keys are gone. Never throws. */
export async function serveSigner(
  input: Readable,
  output: Writable,
  nowMs: () => number,
): Promise<void> {
  const say = (message: object): void => void output.write(`${formatMessage(message)}\n`)
  let core: AskSigner | undefined
  try {
    for await (const line of linesOf(input)) {
      const { id, body } = parseFrame(line)
      let answer: SignerAnswer
      try {
        core ??= await openCore(body, nowMs)
        answer = await core(id === 0 ? { verb: 'addresses' } : decodeRequest(body))
      } catch (error) {
        say({ id, error: wireErrorOf(error) })
        if (core) continue
        return
      }
      say({ id, answer })
      if (answer.type === 'locked') return
    }
  } catch {
    // The pipe broke, or what came through it was not from our program.
  } finally {
    await core?.({ verb: 'lock' }).catch(() => {})
    output.end()
  }
}

async function openCore(body: unknown, nowMs: () => number): Promise<AskSigner> {
  const { home, passphrase, isLocal, rules } = decodeOpen(body)
  const { ring, accounts, file } = await unlock(home, { passphrase, isLocal })
  const meter = openGasMeter(home, rules.dayGasWei)
  return createSignerCore({ ring, accounts, past: file.past, limits: { rules, meter }, nowMs })
}

/** Number 0 opens the purse and may come only once. @throws PURSE_SIGNER */
function parseFrame(line: string): { readonly id: number; readonly body: unknown } {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw fault('json')
  }
  const fields = fieldsOf(value, ['id', 'body'])
  return { id: fields.whole('id', Number.MAX_SAFE_INTEGER), body: fields.raw('body') }
}

/** @throws PURSE_SIGNER for a line that is too long */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  const ready: string[] = []
  let isTooLong = false
  const feed = createLineReader(
    (line) => ready.push(line),
    () => (isTooLong = true),
  )
  input.setEncoding('utf8')
  for await (const part of input) {
    feed(String(part))
    for (let line = ready.shift(); line !== undefined; line = ready.shift()) yield line
    if (isTooLong) throw fault('size')
  }
}
