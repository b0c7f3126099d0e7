/**
 * Opens a store: starts its worker, which locks the file, repairs what is damaged and brings the schema up to date.
 * @module
 */
import { Worker } from 'node:worker_threads'
import { storeError } from './errors.ts'
import { GroupQueue } from './group-queue.ts'
import type { Submit } from './operation.ts'
import { errorFrom, type FromWorker, type ToWorker, type WorkerSettings } from './protocol.ts'
import {
  createRecords,
  type OpeningReport,
  type Records,
  type Store,
  type StoreHealth,
} from './store.ts'

// Local limits (tunable): docs/LIMITS.md.
/** A store grows to this and no further. */
const DEFAULT_MAX_BYTES = 1024 * 1024 * 1024

export type StoreOptions = {
  /** Folder of the state, 0700. It is made when it is not there. */
  readonly folder: string
  /** Whose records: the file is `<name>.db`. */
  readonly name: 'node' | 'client' | 'wallet' | 'exits'
  /** 32 bytes from the identity or the purse, the same at each start. It authenticates the rows; nothing is encrypted with it. */
  readonly key: Uint8Array
  /** The most that the file may hold, bytes; 1 GiB unless said. */
  readonly maxBytes?: number
  /** Told when the store's health changes. */
  readonly onHealth?: (health: StoreHealth) => void
}

/**
 * Opens or makes a store. A damaged one is repaired as far as it goes; read the `report`.
 *
 * @throws STORE_LOCKED, STORE_WRONG_KEY, STORE_NEWER, STORE_UNUSABLE, STORE_FULL, STORE_FAILED
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { folder, name, key, maxBytes = DEFAULT_MAX_BYTES } = options
  const settings: WorkerSettings = { folder, name, maxBytes, key }
  const worker = new Worker(workerFile(), { workerData: settings, name: `byway ${name} store` })
  const report = await opened(worker)
  return serve(worker, report, options.onHealth)
}

/** In a clone the worker runs from its source, in a published package compiled. */
function workerFile(): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./worker/main.${ending}`, import.meta.url)
}

async function opened(worker: Worker): Promise<OpeningReport> {
  const answer = Promise.withResolvers<FromWorker>()
  worker.once('message', answer.resolve)
  worker.once('error', answer.reject)
  const message = await answer.promise
  worker.off('message', answer.resolve).off('error', answer.reject)
  if (message.kind === 'opened') return message.report
  await worker.terminate()
  throw message.kind === 'refused' ? errorFrom(message.error) : storeError('STORE_CLOSED', {})
}

function serve(
  worker: Worker,
  report: OpeningReport,
  onHealth: ((health: StoreHealth) => void) | undefined,
): Store {
  let health: StoreHealth = 'ok'
  const setHealth = (next: StoreHealth): void => {
    if (health === next) return
    health = next
    onHealth?.(next)
  }
  const tell = (message: ToWorker): void => worker.postMessage(message)
  const queue = new GroupQueue((groups) => tell({ kind: 'work', groups }))
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'health') setHealth(message.health)
    else if (message.kind === 'worked') queue.settle(message.results)
  })
  const exited = new Promise<void>((resolve) => {
    worker.once('error', () => setHealth('failed'))
    worker.once('exit', () => {
      queue.fail()
      resolve()
    })
  })
  const submitAll = (run: (submit: Submit) => void): Promise<void> => queue.submitAll(run)
  return {
    ...createRecords(queue.submit, submitAll, queue.submitSoon),
    report,
    get health() {
      return health
    },
    atomically: (run) => submitAll((submit) => run(groupRecords(submit))),
    async [Symbol.asyncDispose]() {
      await queue.drain()
      tell({ kind: 'close' })
      await exited
    },
  }
}

/** The records within a group: what they do together is part of the group. */
function groupRecords(submit: Submit): Records {
  return createRecords(submit, async (run) => run(submit))
}
