/**
 * How the bench speaks with its own Byway processes: JSON lines. A request on stdin has an `id`, its answer on stdout the same one;
 * lines without an `id` are events. A process lives until its stdin ends.
 */
import { createInterface } from 'node:readline'

import { waitForLine, type Child } from '../lib/child.ts'

/** One line either way. */
export type Line = { readonly [key: string]: unknown }

/** Prints an event. */
export function tell(event: Line): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

/** Serves requests by the name in `do` until stdin ends, then runs `close` and exits. */
export function serve(
  verbs: Readonly<Record<string, (request: Line) => Promise<Line> | Line>>,
  close: () => Promise<void>,
): void {
  const answer = async (text: string): Promise<void> => {
    const request = JSON.parse(text) as Line
    try {
      tell({ ...(await verbs[String(request['do'])]?.(request)), id: request['id'] })
    } catch (cause) {
      tell({ id: request['id'], error: describe(cause) })
    }
  }
  createInterface({ input: process.stdin })
    .on('line', (text) => void answer(text))
    .on('close', () => void close().finally(() => process.exit(0)))
}

let lastId = 0

/** Sends a request and waits for its answer. @throws Error with what the process said went wrong, or after `timeoutMs`. */
export async function ask(child: Child, request: Line, timeoutMs: number): Promise<Line> {
  const id = ++lastId
  const answer = waitForLine(child, timeoutMs, (text) => {
    const line = parseLine(text)
    return line?.['id'] === id ? line : undefined
  })
  child.stdin.write(`${JSON.stringify({ ...request, id })}\n`)
  const line = await answer
  if (line['error'] !== undefined)
    throw new Error(`${child.name}: ${JSON.stringify(line['error'])}`)
  return line
}

/** Parses one line of stdout; what is no JSON object gives nothing. */
export function parseLine(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Line) : undefined
  } catch {
    return undefined
  }
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return 'code' in cause ? `${String(cause.code)} ${cause.message}` : cause.message
}
