/** Starts the origin and the downloader as processes of their own, and speaks with them. */
import { fileURLToPath } from 'node:url'

import { startChild, waitForLine, type Child } from './child.ts'
import type { DownloadJob, DownloadResult, StreamResult } from './downloader.ts'

/** Longest start of a worker: Node is up in 50 ms, on a busy machine in seconds. */
const START_TIMEOUT_MS = 20_000

/** The origin's process. */
export interface Origin {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** The downloader's process. */
export interface Downloader {
  readonly pid: number
  /** Runs one job at a time. @throws Error when a stream fails, or after `timeoutMs`. */
  run(
    job: DownloadJob,
    timeoutMs?: number,
  ): Promise<{ wallMs: number; streams: readonly StreamResult[] }>
  stop(): Promise<void>
}

/** Starts a command elsewhere, inside a network namespace for instance. */
export type Wrap = (command: string, args: readonly string[]) => { command: string; args: string[] }

/** Starts the origin on a port of the system's choice. @param host - the address to listen on */
export async function startOrigin(host = '127.0.0.1', wrap?: Wrap): Promise<Origin> {
  const child = await startScript('origin', [host], wrap)
  const port = await waitForLine(
    child,
    START_TIMEOUT_MS,
    (line) => (JSON.parse(line) as { port?: number }).port,
  )
  return { port, pid: child.pid, stop: () => child.stop() }
}

/** Starts the downloader. */
export async function startDownloader(wrap?: Wrap): Promise<Downloader> {
  const child = await startScript('downloader', [], wrap)
  return {
    pid: child.pid,
    run: async (job, timeoutMs = 180_000) => {
      child.stdin.write(`${JSON.stringify(job)}\n`)
      const result = await waitForLine(
        child,
        timeoutMs,
        (line) => JSON.parse(line) as DownloadResult,
      )
      if (!result.ok) throw new Error(`download failed: ${result.error}`)
      return result
    },
    stop: () => child.stop(),
  }
}

function startScript(
  name: 'origin' | 'downloader',
  args: readonly string[],
  wrap?: Wrap,
): Promise<Child> {
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
  const own = ['--conditions=byway:source', script, ...args]
  const line = wrap?.(process.execPath, own) ?? { command: process.execPath, args: own }
  return startChild(name, line.command, line.args)
}
