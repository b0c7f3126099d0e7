/**
 * The application of every bench, as its own process: takes one job per line of stdin (JSON), answers with one line
 * of stdout, and ends with its stdin. Downloads from `origin.ts`, counts, and hashes when asked to.
 * Knows nothing of the system under test but its route.
 */
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

import { openRoute, type Route, type RouteConnection } from './route.ts'

/** More than any buffer on the way holds. */
const STALLED_BYTES = 4e9
/** Time for every buffer on the way to fill. */
const STALL_SETTLE_MS = 1_000

/** One job: `streams` downloads at the same time, `repeat` times one after the other. */
export type DownloadJob = {
  readonly route: Route
  readonly originPort: number
  readonly streams: number
  readonly repeat: number
  readonly bytesEach: number
  readonly isHashed: boolean
  /** SOCKS user of each stream; the last one serves the streams beyond the list. */
  readonly isolations: readonly string[]
  /** SOCKS users of connections that ask for a large body first and never read it. @default none */
  readonly stalled?: readonly string[] | undefined
}

/** What one stream saw. Times are milliseconds since it began to connect. */
export type StreamResult = {
  readonly bytes: number
  readonly openMs: number
  readonly firstByteMs: number
  readonly endMs: number
  readonly sha256: string | null
}

/** The answer to a job; `wallMs` runs from the first stream's start to the last one's end, of all repetitions. */
export type DownloadResult =
  | { readonly ok: true; readonly wallMs: number; readonly streams: readonly StreamResult[] }
  | { readonly ok: false; readonly error: string }

/** Runs one job. @throws Error when any stream fails or ends short. */
export async function runJob(
  job: DownloadJob,
): Promise<{ wallMs: number; streams: StreamResult[] }> {
  const stalled = await Promise.all((job.stalled ?? []).map((user) => openStalled(job, user)))
  if (stalled.length > 0) await delay(STALL_SETTLE_MS)
  const startMs = performance.now()
  const streams: StreamResult[] = []
  for (let round = 0; round < job.repeat; round++) {
    const some = Array.from({ length: job.streams }, (_, index) =>
      download(job, job.isolations[index] ?? job.isolations.at(-1) ?? 'bench'),
    )
    streams.push(...(await Promise.all(some)))
  }
  const wallMs = performance.now() - startMs
  for (const connection of stalled) connection.close()
  return { wallMs, streams }
}

async function openStalled(job: DownloadJob, isolation: string): Promise<RouteConnection> {
  const connection = await openRoute(job.route, job.originPort, isolation)
  connection.stall()
  connection.ended.catch(() => undefined)
  connection.write(requestOf(STALLED_BYTES))
  return connection
}

function requestOf(bytes: number): string {
  return `GET /${bytes} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`
}

async function download(job: DownloadJob, isolation: string): Promise<StreamResult> {
  const startMs = performance.now()
  const connection = await openRoute(job.route, job.originPort, isolation)
  const openMs = performance.now() - startMs
  const hash = job.isHashed ? createHash('sha256') : undefined
  const { promise: complete, resolve, reject } = Promise.withResolvers<void>()
  let firstByteMs = 0
  let head: string | undefined = ''
  let bytes = 0
  connection.receive((piece) => {
    let body = piece
    if (head !== undefined) {
      if (firstByteMs === 0) firstByteMs = performance.now() - startMs
      const before = head.length
      head += piece.toString('latin1')
      const headEnd = head.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      if (!head.startsWith('HTTP/1.1 200 ')) reject(new Error('the origin did not answer 200'))
      body = piece.subarray(headEnd + 4 - before)
      head = undefined
    }
    bytes += body.length
    hash?.update(body)
    if (bytes >= job.bytesEach) resolve()
  })
  connection.ended.then(
    () => reject(new Error(`ended after ${bytes} of ${job.bytesEach} bytes`)),
    reject,
  )
  connection.write(requestOf(job.bytesEach))
  try {
    await complete
  } finally {
    connection.close()
  }
  if (bytes !== job.bytesEach) throw new Error(`received ${bytes} bytes for ${job.bytesEach}`)
  return {
    bytes,
    openMs,
    firstByteMs,
    endMs: performance.now() - startMs,
    sha256: hash?.digest('hex') ?? null,
  }
}

async function answerLine(line: string): Promise<DownloadResult> {
  try {
    return { ok: true, ...(await runJob(JSON.parse(line) as DownloadJob)) }
  } catch (cause) {
    return { ok: false, error: cause instanceof Error ? cause.message : String(cause) }
  }
}

if (import.meta.main) {
  createInterface({ input: process.stdin })
    .on(
      'line',
      (line) =>
        void answerLine(line).then((result) => process.stdout.write(`${JSON.stringify(result)}\n`)),
    )
    .on('close', () => process.exit(0))
}
