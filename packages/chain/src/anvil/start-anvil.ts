/**
 * The embedded chain: anvil as a process of its own, on the loopback only, that cannot outlive this one. A small shell beside it reads our end of a pipe and kills it
 * when the pipe ends, which the kernel sees to even when this process is killed.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { chainError } from '../errors.ts'
import { hexOf } from '../contracts/bytes.ts'
import { createRpcEndpoint } from '../rpc/endpoint.ts'
import { findAnvil } from './find-anvil.ts'

export type AnvilOptions = {
  /** 0 lets the system choose. @default 0 */
  readonly port?: number | undefined
  /** Seconds between blocks; transactions are mined at once as well. @default none: a block for each transaction */
  readonly blockTimeS?: number | undefined
  /** False: nothing is mined before it is asked for; for tests of stuck transactions. @default true */
  readonly isMining?: boolean | undefined
  readonly signal: AbortSignal
}

/** A running chain; disposing ends it. */
export interface Anvil extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** Gives an account native coin out of nothing, wei. @throws CHAIN_ANVIL */
  setBalance(account: Uint8Array, wei: bigint): Promise<void>
  /** Resolves when it has ended, by itself or not: the exit code or the signal. */
  readonly ended: Promise<string>
}

/** The chain id of development chains; wallets and contracts know it as one without value. */
export const LOCAL_CHAIN_ID = 31_337

// Local limits (tunable): docs/LIMITS.md.
/** It takes 0.2 s; on a loaded machine a hundred times that. */
const START_TIMEOUT_MS = 20_000
/** What does not end on SIGTERM hangs. */
const STOP_GRACE_MS = 2000
/** Some lines for the error. */
const TAIL_CHARS = 1000
/** States kept in memory: older blocks cannot be asked about, and a chain that runs for days stays small. */
const KEPT_STATES = 1024

/**
 * Starts the chain; resolves when it listens.
 * @throws CHAIN_ANVIL, or the signal's reason
 */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  options.signal.throwIfAborted()
  const child = spawn('/bin/sh', ['-c', GUARDED, findAnvil(), ...argumentsOf(options)], {
    stdio: 'pipe',
    detached: true,
  })
  const killNow = (): boolean => child.kill('SIGKILL')
  process.once('exit', killNow)
  const ended = endOf(child).then((status) => {
    process.off('exit', killNow)
    child.stdin.destroy()
    return status
  })
  try {
    const port = await untilListening(child, ended, options.signal)
    const url = `http://127.0.0.1:${port}`
    return {
      pid: child.pid ?? 0,
      port,
      url,
      ended,
      setBalance: (account, wei) => setBalance(url, account, wei),
      [Symbol.asyncDispose]: () => stop(child, ended),
    }
  } catch (error) {
    await stop(child, ended)
    throw error
  }
}

function argumentsOf({ port = 0, blockTimeS, isMining = true }: AnvilOptions): readonly string[] {
  const always = `--host 127.0.0.1 --port ${port} --chain-id ${LOCAL_CHAIN_ID} --prune-history ${KEPT_STATES}`
  const timed = blockTimeS === undefined ? '' : `--block-time ${blockTimeS} --mixed-mining`
  return `${always} ${isMining ? timed : '--no-mining'}`.trim().split(' ')
}

/** `$0` is the program; the shell becomes it, so that its process id is the one we know. */
const GUARDED = `
exec 3<&0
(cat <&3 >/dev/null 2>&1; kill -9 $$) >/dev/null 2>&1 &
exec "$0" "$@" </dev/null 3<&-
`

async function endOf(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  child.once('error', (error) => resolve(error.message))
  child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  return promise
}

async function untilListening(
  child: ChildProcess & {
    readonly stdout: NodeJS.ReadableStream
    readonly stderr: NodeJS.ReadableStream
  },
  ended: Promise<string>,
  signal: AbortSignal,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let tail = ''
  child.stderr.on('data', (part: Buffer) => (tail = (tail + part.toString()).slice(-TAIL_CHARS)))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, port] = /^Listening on 127\.0\.0\.1:(\d+)$/.exec(line) ?? []
    if (port !== undefined) resolve(Number(port))
  })
  const fail = (status: string): void =>
    reject(chainError('CHAIN_ANVIL', { status, hint: tail.trim() }))
  void ended.then(fail)
  const timer = setTimeout(() => fail('not ready in time'), START_TIMEOUT_MS)
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

async function setBalance(url: string, account: Uint8Array, wei: bigint): Promise<void> {
  const endpoint = createRpcEndpoint({ url, nowMs: () => performance.now() })
  const params = [hexOf(account), `0x${wei.toString(16)}`]
  const answer = await endpoint.ask('anvil_setBalance', params, new AbortController().signal)
  if (answer.type !== 'result') {
    throw chainError('CHAIN_ANVIL', { status: 'no answer', hint: 'anvil_setBalance' })
  }
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
  await ended
  clearTimeout(timer)
}
