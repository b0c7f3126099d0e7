/**
 * How commands talk to a running client or node: one line of JSON each way over a Unix socket in the state folder, which only its owner may
 * open. There is no port to guard and no password to keep. What the questions are is the programs' business.
 */
import { chmod, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { isSystemError } from '../exit-codes.ts'
import type { JsonObject } from '../output.ts'
import { answerChain, type ChainAnswers, type ChainControlQuestion } from './chain-questions.ts'
import { controlError } from './control-errors.ts'

/** What runs with a state folder: each has a socket of its own there. */
export type ControlledProgram = 'client' | 'node'

/** What may be asked. */
export type ControlQuestion =
  | 'status'
  | 'stop'
  | `ledger ${number}`
  | `receipts ${number} ${number}`
  | `opening ${string}`
  | `give-back ${'over' | 'all'}`
  | `score ${string}`
  | ChainControlQuestion

export type ControlAnswers = {
  readonly status: () => JsonObject
  readonly stop: () => JsonObject
  /** A page of the ledger after a place; a program that is not paid and pays nobody has none. */
  readonly ledger?: ((afterSequence: number) => Promise<JsonObject>) | undefined
  /** Asks slots back that the client is done with, or all that were shown; only a client that pays does. */
  readonly giveBack?: ((isAll: boolean) => Promise<JsonObject>) | undefined
  /** What a client makes of nodes whose ids begin so, or of all for ''. */
  readonly scores?: ((prefix: string) => JsonObject) | undefined
  /** What service proofs are made of; a program that is not paid has none. */
  readonly proofs?: ProofAnswers | undefined
  /** What commands with money ask through a client; one that pays nobody has none. */
  readonly chain?: ChainAnswers | undefined
}

/** What a node answers of its receipts. */
export interface ProofAnswers {
  /** A page of an epoch's receipts after a place. */
  receipts(epoch: number, afterSequence: number): Promise<JsonObject>
  /** What was shown of a slot. @param nullifier - 64 hexadecimal digits */
  opening(nullifier: string): Promise<JsonObject>
}

// Local limits (tunable): docs/LIMITS.md.
/** A question is one word; an answer grows with the tunnels. */
const MAX_QUESTION_BYTES = 96
/** One about the chain holds the largest that a node takes, in hexadecimal digits, or 200 slots. */
const MAX_CHAIN_QUESTION_BYTES = 16 * 1024
/** Thousands of tunnels at some hundred bytes each. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** A program that is this late hangs. */
const ANSWER_TIMEOUT_MS = 5000
/** A node is asked twice over circuits that may have to be built. */
const CHAIN_TIMEOUT_MS = 120_000
/** `sun_path` of Linux and macOS less its end; what is longer would be cut off without a word. */
const MAX_PATH_BYTES = 103
/** The owner's own commands, each with a dozen questions about the chain at once; more is a mistake. */
const MAX_CONNECTIONS = 64

/**
 * Answers questions until disposed. A socket that a killed program left behind is replaced.
 * @throws CONTROL_ALREADY_RUNNING, CONTROL_PATH_TOO_LONG, or the system's error
 */
export async function openControl(
  home: string,
  program: ControlledProgram,
  answers: ControlAnswers,
): Promise<AsyncDisposable> {
  const path = socketPath(home, program)
  const closing = new AbortController()
  // Whoever has asked ends his side; the answer may come later.
  const server = createServer({ allowHalfOpen: true }, (socket) =>
    answerOne(socket, answers, closing.signal),
  )
  server.maxConnections = MAX_CONNECTIONS
  try {
    await listen(server, path)
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'EADDRINUSE') throw error
    if (await isAlive(path)) throw controlError('CONTROL_ALREADY_RUNNING', { program })
    await rm(path, { force: true })
    await listen(server, path)
  }
  await chmod(path, 0o600)
  server.unref()
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      // What may take its time is not waited for.
      closing.abort()
      await closed
    },
  }
}

/**
 * Asks the program that runs with a state folder.
 * @throws CONTROL_NOT_RUNNING, CONTROL_NO_ANSWER, CONTROL_PATH_TOO_LONG, or the signal's reason
 */
export async function askControl(
  home: string,
  program: ControlledProgram,
  question: ControlQuestion,
  signal?: AbortSignal,
): Promise<JsonObject> {
  signal?.throwIfAborted()
  const socket = createConnection({ path: socketPath(home, program), signal })
  try {
    await once(socket, 'connect')
  } catch (error) {
    signal?.throwIfAborted()
    throw controlError('CONTROL_NOT_RUNNING', { program }, { cause: error })
  }
  socket.setTimeout(limitsOf(question).timeoutMs, () => socket.destroy())
  // Whose side stays open is seen to go: for what takes its time that is an end.
  if (isLong(question)) socket.write(`${question}\n`)
  else socket.end(`${question}\n`)
  try {
    const value: unknown = JSON.parse(await readAll(socket))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as JsonObject
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw controlError('CONTROL_NO_ANSWER', { program }, { cause: error })
  }
  throw controlError('CONTROL_NO_ANSWER', { program })
}

/** Nothing but a question about the chain may be long, or take its time. */
function isLong(question: string): boolean {
  return question.startsWith('chain ')
}

function limitsOf(question: string): { readonly bytes: number; readonly timeoutMs: number } {
  return isLong(question)
    ? { bytes: MAX_CHAIN_QUESTION_BYTES, timeoutMs: CHAIN_TIMEOUT_MS }
    : { bytes: MAX_QUESTION_BYTES, timeoutMs: ANSWER_TIMEOUT_MS }
}

function answerOne(socket: Socket, answers: ControlAnswers, closing: AbortSignal): void {
  let asked = ''
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  const onEnd = (): void => void socket.destroy()
  socket.on('end', onEnd)
  // Whoever asked has gone.
  const gone = new AbortController()
  socket.on('close', () => gone.abort())
  socket.setEncoding('utf8')
  socket.on('data', (part: string) => {
    asked += part
    const end = asked.indexOf('\n')
    const limits = limitsOf(asked)
    if (end < 0 && asked.length <= limits.bytes) return
    socket.removeAllListeners('data')
    if (!isLong(asked)) socket.off('end', onEnd)
    socket.setTimeout(limits.timeoutMs)
    socket.resume()
    const signal = AbortSignal.any([gone.signal, closing])
    void answer(asked.slice(0, end), answers, signal).then(
      (value) => (value ? socket.end(`${JSON.stringify(value)}\n`) : socket.destroy()),
      () => socket.destroy(),
    )
  })
}

/** Undefined for a question that is none. */
async function answer(
  question: string,
  answers: ControlAnswers,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  if (isLong(question)) return await answerChain(question, answers.chain, signal)
  if (question === 'status' || question === 'stop') return answers[question]()
  const [, which] = /^give-back (over|all)$/.exec(question) ?? []
  if (which !== undefined) return (await answers.giveBack?.(which === 'all')) ?? { queued: 0 }
  const [, node] = /^score (all|[0-9a-f]{1,64})$/.exec(question) ?? []
  if (node !== undefined) return answers.scores?.(node === 'all' ? '' : node) ?? { scores: [] }
  const [, place] = /^ledger (\d{1,15})$/.exec(question) ?? []
  if (place !== undefined)
    return (await answers.ledger?.(Number(place))) ?? { events: [], next: null }
  const [, epoch, after] = /^receipts (\d{1,10}) (\d{1,15})$/.exec(question) ?? []
  if (epoch !== undefined)
    return (await answers.proofs?.receipts(Number(epoch), Number(after))) ?? NO_RECEIPTS
  const [, nullifier] = /^opening ([0-9a-f]{64})$/.exec(question) ?? []
  if (nullifier === undefined) return undefined
  return (await answers.proofs?.opening(nullifier)) ?? { opening: null }
}

const NO_RECEIPTS = { receipts: [], next: null }

async function readAll(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('utf8')
  for await (const part of socket) {
    text += String(part)
    if (text.length > MAX_ANSWER_BYTES) break
  }
  return text
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen(path)
  await once(server, 'listening')
}

async function isAlive(path: string): Promise<boolean> {
  const socket = createConnection(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

function socketPath(home: string, program: ControlledProgram): string {
  const path = join(home, `${program}.sock`)
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_PATH_BYTES) {
    throw controlError('CONTROL_PATH_TOO_LONG', { bytes, most: MAX_PATH_BYTES })
  }
  return path
}
