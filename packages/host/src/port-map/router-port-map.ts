/**
 * Opens a port of the home's router by UPnP (IGD 1 and 2), PCP (RFC 6887) or NAT-PMP (RFC 6886). Everything in the home may answer, so that a process of its own, without secrets, asks
 * and ends: what it chokes on costs the node nothing. The router forgets the port by itself two hours after it was asked last.
 * @module
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openHome, readPrivateFile, writePrivateFile } from '@byway/home'
import { readAnswer, type PortMapAnswer } from './answer.ts'
import { NONCE_BYTES } from './port-control.ts'

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

/** @param home - the folder that keeps our name at routers that speak PCP: who has another one cannot renew what an earlier start has opened */
export function createRouterPortMap(home: string): RouterPortMap {
  const nonce = openNonce(home).catch(() => randomBytes(NONCE_BYTES).toString('hex'))
  return { open: async (port, signal) => await askRouter(await nonce, port, signal) }
}

const NONCE_FILE = 'port-map.nonce'

/** @throws HOME_… */
async function openNonce(home: string): Promise<string> {
  await openHome(home)
  const path = join(home, NONCE_FILE)
  const stored = (await readPrivateFile(path))?.trim()
  if (stored?.length === 2 * NONCE_BYTES && /^[0-9a-f]+$/.test(stored)) return stored
  const fresh = randomBytes(NONCE_BYTES).toString('hex')
  await writePrivateFile(path, `${fresh}\n`)
  return fresh
}

async function askRouter(
  nonce: string,
  port: number,
  signal: AbortSignal,
): Promise<PortMapAnswer | undefined> {
  if (signal.aborted) return undefined
  const conditions = process.execArgv.filter((flag) => flag.startsWith('--conditions='))
  const child = spawn(
    process.execPath,
    [...conditions, `--max-old-space-size=${HEAP_MB}`, MAIN, String(port)],
    { env: {}, stdio: ['pipe', 'pipe', 'ignore'] },
  )
  // Not an argument: those are seen by every user of the machine. One that has ended reads nothing.
  child.stdin.on('error', () => {})
  child.stdin.end(nonce)
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
