/** The exit record of a node that was given a place for one: kept, looked after and shown until it is disposed. @module */
import type { SigningKeyPair } from '@byway/protocol/crypto'
import { exitPageS } from '@byway/protocol/directory'
import { NO_LOG } from '@byway/protocol/base'
import type { NodeOptions } from '../node-types.ts'
import { openExitRecorder, type ExitRecorderDeps } from './exit-recorder.ts'
import { createRecordLinks, type RecordLinks } from './record-links.ts'

export interface NodeRecord extends AsyncDisposable {
  readonly links: RecordLinks
}

// Local limits (tunable): docs/LIMITS.md.
/** Between two looks for what has expired and for a page that is over; less where a page is short. */
const LOOK_S = 60
/** Looks a page. */
const LOOKS_A_PAGE = 5

/** Undefined where none is kept. @throws NODE_IDENTITY_DAMAGED, and what the store throws */
export async function openNodeRecord(
  { exits, home, network, log }: NodeOptions,
  identity: SigningKeyPair,
  { set, knock, random }: Pick<ExitRecorderDeps, 'set' | 'knock' | 'random'>,
): Promise<NodeRecord | undefined> {
  if (!exits) return undefined
  const pageS = exitPageS(network)
  const recorder = await openExitRecorder({
    store: exits,
    identity,
    home,
    set,
    knock,
    random,
    pageS,
    nowMs: () => Date.now(),
    log: log ?? NO_LOG,
  })
  const everyMs = Math.min(LOOK_S, pageS / LOOKS_A_PAGE) * 1000
  const timer = setInterval(() => void recorder.look(), everyMs).unref()
  return {
    links: createRecordLinks({ recorder, nowMs: () => performance.now() }),
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await recorder[Symbol.asyncDispose]()
    },
  }
}
