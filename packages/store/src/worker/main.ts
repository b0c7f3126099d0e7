/** The store's thread: everything that may wait for the disk happens here. */
import { isBywayError } from '@byway/protocol/base'
import { parentPort, workerData } from 'node:worker_threads'
import type { StoreError } from '../errors.ts'
import { plainError, type FromWorker, type ToWorker, type WorkerSettings } from '../protocol.ts'
import { Engine } from './engine.ts'
import { openFile, type OpenFile } from './open.ts'
import { Reserve } from './reserve.ts'
import { asStoreError } from './sqlite-fault.ts'

// Local limits (tunable): docs/LIMITS.md.
/** How often a full disk is looked at again. */
const RECOVER_INTERVAL_MS = 5000

function tell(message: FromWorker): void {
  parentPort?.postMessage(message)
}

function start(settings: WorkerSettings): void {
  let file
  try {
    file = openFile(settings)
    serve(file, settings)
  } catch (error) {
    file?.[Symbol.dispose]()
    const known = isBywayError(error) ? (error as StoreError) : asStoreError(error)
    if (!known) throw error
    tell({ kind: 'refused', error: plainError(known) })
  }
}

function serve(file: OpenFile, { maxBytes }: WorkerSettings): void {
  const { connection, tables, report, paths } = file
  const reserve = new Reserve(paths.reserve, maxBytes, connection)
  const engine = new Engine(connection, tables, reserve, (health) =>
    tell({ kind: 'health', health }),
  )
  const hasRoom = reserve.hold()
  tell({ kind: 'opened', report })
  if (!hasRoom) engine.fill()
  const recovery = setInterval(() => engine.recover(), RECOVER_INTERVAL_MS)
  parentPort?.on('message', (message: ToWorker) => {
    if (message.kind === 'work')
      return tell({ kind: 'worked', results: engine.work(message.groups) })
    clearInterval(recovery)
    file[Symbol.dispose]()
    parentPort?.close()
  })
}

start(workerData as WorkerSettings)
