/** One process of the signer, and the pipe to it. */
import { spawn } from 'node:child_process'
import { purseError } from '../errors.ts'
import { decodeAnswer, errorOfWire } from './answer-codec.ts'
import { fault, fieldsOf } from './json-fields.ts'
import type { OpenMessage } from './request-codec.ts'
import { createLineReader, formatMessage } from './wire-json.ts'
import type { AskSigner, SignerAnswer, SignerRequest } from './verbs.ts'

export interface SignerProcess {
  readonly pid: number
  /** Sends one request. Rejects with PURSE_LOCKED once the process has ended. */
  readonly ask: AskSigner
  readonly isAlive: () => boolean
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>
  /** Ends the pipe, and with it the process. */
  close(): void
}

// Local limits (tunable): docs/LIMITS.md.
/** Requests under way; each takes some milliseconds. */
const MAX_WAITING = 256
/** The keys and their library need a tenth of it. */
const HEAP_MB = 64

/**
 * Starts a process and opens the purse in it.
 * @throws what `unlock` throws, PURSE_SIGNER when the process does not start
 */
export async function startSignerProcess(open: OpenMessage): Promise<SignerProcess> {
  const signer = spawnSigner()
  try {
    await signer.send(open)
    return signer
  } catch (error) {
    signer.close()
    await signer.ended
    throw error
  }
}

type Waiting = {
  readonly resolve: (answer: SignerAnswer) => void
  readonly reject: (error: Error) => void
}

function spawnSigner(): SignerProcess & { send(body: object): Promise<SignerAnswer> } {
  const conditions = process.execArgv.filter((flag) => flag.startsWith('--conditions='))
  const flags = [...conditions, `--max-old-space-size=${HEAP_MB}`, MAIN]
  // Its own words could hold what it must not say: nobody listens to them.
  const child = spawn(process.execPath, flags, { env: {}, stdio: ['pipe', 'pipe', 'ignore'] })
  const waiting = new Map<number, Waiting>()
  const { promise: ended, resolve: settleEnded } = Promise.withResolvers<void>()
  let isAlive = true
  let nextId = 0
  const end = (error: Error): void => {
    if (!isAlive) return
    isAlive = false
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    child.stdin.destroy()
    child.stdout.destroy()
  }
  child.once('error', () => end(purseError('PURSE_SIGNER', { problem: 'start' })))
  child.once('close', () => {
    end(purseError('PURSE_LOCKED', {}))
    settleEnded()
  })
  child.stdin.on('error', () => end(purseError('PURSE_LOCKED', {})))
  const misunderstood = (): void => {
    child.kill('SIGKILL')
    end(purseError('PURSE_SIGNER', { problem: 'answer' }))
  }
  child.stdout.setEncoding('utf8')
  child.stdout.on(
    'data',
    createLineReader((line) => {
      if (!settleAnswer(line, waiting)) misunderstood()
    }, misunderstood),
  )
  const send = (body: object): Promise<SignerAnswer> => {
    if (!isAlive) return Promise.reject(purseError('PURSE_LOCKED', {}))
    if (waiting.size >= MAX_WAITING) return Promise.reject(fault('size'))
    const id = nextId++
    const { promise, ...settle } = Promise.withResolvers<SignerAnswer>()
    waiting.set(id, settle)
    child.stdin.write(`${formatMessage({ id, body })}\n`)
    return promise
  }
  return {
    pid: child.pid ?? 0,
    send,
    ask: (request: SignerRequest) => send(request),
    isAlive: () => isAlive,
    ended,
    close: () => child.stdin.end(),
  }
}

/** False for an answer that is none. */
function settleAnswer(line: string, waiting: Map<number, Waiting>): boolean {
  try {
    const fields = fieldsOf(JSON.parse(line), ['id', 'answer', 'error'])
    const id = fields.whole('id', Number.MAX_SAFE_INTEGER)
    const found = waiting.get(id)
    if (!found) return false
    waiting.delete(id)
    const error = fields.raw('error')
    if (error === undefined) found.resolve(decodeAnswer(fields.raw('answer')))
    else found.reject(errorOfWire(error))
    return true
  } catch {
    return false
  }
}

/** Source and compiled output have different endings. */
const MAIN = import.meta.filename.replace(/signer-process(\.[jt]s)$/, 'signer-main$1')
