/**
 * A small client of Tor's control port (control-spec): commands, their replies, and events.
 * Only what the bench asks: bootstrap progress, listeners, circuits and streams.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

/** A control connection. */
export interface TorControl {
  /** Sends one command; resolves with the lines of its reply, codes stripped. @throws Error on a 4xx or 5xx. */
  command(line: string): Promise<readonly string[]>
  /** Calls back for every event asked for with SETEVENTS. */
  onEvent(listener: (event: string) => void): void
  close(): void
}

/** One circuit as `GETINFO circuit-status` tells it. */
export type TorCircuit = {
  readonly id: string
  readonly status: string
  readonly purpose: string
  /** Fingerprints of the hops, in upper-case hex, entry first. */
  readonly hops: readonly string[]
}

/** Longest wait for the reply to a command. */
const REPLY_TIMEOUT_MS = 30_000

/** Connects to a control socket (a path) and logs in with the cookie. */
export async function openTorControl(path: string, cookieHex: string): Promise<TorControl> {
  const socket = connect(path)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject)
  })
  const replies: {
    lines: string[]
    resolve: (lines: string[]) => void
    reject: (cause: Error) => void
  }[] = []
  const eventListeners = new Set<(event: string) => void>()
  let isInData = false

  const fail = (cause: Error): void => replies.splice(0).forEach((reply) => reply.reject(cause))
  socket.on('error', fail).on('close', () => fail(new Error('tor closed the control connection')))
  createInterface({ input: socket }).on('line', (line) => {
    const reply = replies[0]
    if (isInData) {
      if (line === '.') isInData = false
      else reply?.lines.push(line)
      return
    }
    const [code, mark, text] = [line.slice(0, 3), line.charAt(3), line.slice(4)]
    if (code === '650') {
      for (const listener of eventListeners) listener(text)
      return
    }
    reply?.lines.push(text)
    isInData = mark === '+'
    if (mark !== ' ') return
    replies.shift()
    if (code.startsWith('2')) reply?.resolve(reply.lines)
    else reply?.reject(new Error(`tor answered ${code} ${text}`))
  })

  const control: TorControl = {
    command: (line) =>
      withTimeout(REPLY_TIMEOUT_MS, 'tor did not answer', (resolve, reject) => {
        replies.push({ lines: [], resolve, reject })
        socket.write(`${line}\r\n`)
      }),
    onEvent: (listener) => void eventListeners.add(listener),
    close: () => void socket.destroy(),
  }
  await control.command(`AUTHENTICATE ${cookieHex}`)
  return control
}

/** Lists the circuits of a Tor client. */
export async function listCircuits(control: TorControl): Promise<TorCircuit[]> {
  const lines = await control.command('GETINFO circuit-status')
  return lines.flatMap((line) => parseCircuit(line.replace(/^circuit-status=/, '')) ?? [])
}

/** The OR port of a relay on loopback, from the client's consensus. @throws Error when it is not listed. */
export async function findOrPort(control: TorControl, fingerprint: string): Promise<number> {
  const lines = await control.command(`GETINFO ns/id/${fingerprint}`)
  const port = Number(/\br \S+ \S+ .* 127\.0\.0\.1 (\d+) \d+$/m.exec(lines.join('\n'))?.[1])
  if (!(port > 0)) throw new Error('the consensus does not list the relay')
  return port
}

/** Parses one line of circuit status: `ID STATUS $FP~name,$FP~name,… KEY=VALUE …`. */
export function parseCircuit(line: string): TorCircuit | undefined {
  const [id = '', status = '', path = '', ...rest] = line.split(' ')
  if (!/^\d+$/.test(id)) return undefined
  const hops = Array.from(path.matchAll(/\$([0-9A-F]{40})/g), (match) => match[1] ?? '')
  const purpose = rest.find((word) => word.startsWith('PURPOSE='))?.slice('PURPOSE='.length) ?? ''
  return { id, status, purpose, hops }
}

async function withTimeout<T>(
  timeoutMs: number,
  message: string,
  run: (resolve: (value: T) => void, reject: (cause: Error) => void) => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => reject(new Error(`${message} within ${timeoutMs} ms`)), timeoutMs)
  run(resolve, reject)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}
