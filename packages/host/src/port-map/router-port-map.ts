/**
 * Opens a port of the home's router by UPnP (IGD 2) or NAT-PMP (RFC 6886). Everything in the home may answer, so that a process of its own, without secrets, asks and ends: what it
 * chokes on costs the node nothing. The router forgets the port by itself two hours after it was asked last.
 * @module
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { readAnswer, type PortMapAnswer } from './answer.ts'

/** The home's router, as `PortMap` of `@byway/node` wants it. */
export interface RouterPortMap {
  /** Opens, or keeps open, one TCP port of this host; nothing when no router does that before the signal. Never rejects. */
  open(port: number, signal: AbortSignal): Promise<PortMapAnswer | undefined>
}

// Local limits (tunable): docs/LIMITS.md.
/** An answer is one short line. */
const MAX_ANSWER_CHARS = 1024
const HEAP_MB = 64

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const MAIN = fileURLToPath(new URL(`./ask-router-main.${extension}`, import.meta.url))

export function createRouterPortMap(): RouterPortMap {
  return { open: askRouter }
}

async function askRouter(port: number, signal: AbortSignal): Promise<PortMapAnswer | undefined> {
  if (signal.aborted) return undefined
  const conditions = process.execArgv.filter((flag) => flag.startsWith('--conditions='))
  const child = spawn(
    process.execPath,
    [...conditions, `--max-old-space-size=${HEAP_MB}`, MAIN, String(port)],
    { env: {}, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const end = (): void => void child.kill('SIGKILL')
  signal.addEventListener('abort', end, { once: true })
  let text = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (part: string) => {
    text += part
    if (text.length > MAX_ANSWER_CHARS) end()
  })
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  child.once('error', () => resolve())
  child.once('close', () => resolve())
  await ended
  signal.removeEventListener('abort', end)
  return readAnswer(text)
}
