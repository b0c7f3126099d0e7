/**
 * The client's guards, on disk between runs (SPEC §10.3). The rules are the pure ones of
 * `@byway/protocol/directory`; this holds the state and the file.
 * @module
 */
import {
  EMPTY_GUARD_STATE,
  guardEntries,
  noteLinkFailed,
  noteLinkOpened,
  parseGuardState,
  primaryGuards,
  refreshGuards,
} from '@byway/protocol/directory'
import type { GuardHealth, GuardState, NodeKey, PathNodeSet } from '@byway/protocol/directory'
import { utf8Text } from '@byway/protocol/base'
import { clientError } from './errors.ts'
import type { NodeWeights } from './node-weights.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

export type GuardKeeperDeps = {
  readonly path: string | undefined
  /** How new guards are drawn. */
  readonly weights: Pick<NodeWeights, 'guardWeightOf' | 'isNewcomer'>
  readonly random: () => number
  readonly ownNodes: () => ReadonlySet<NodeKey>
  /** Wall clock. */
  readonly nowMs: () => number
}

/** Guards. */
export interface GuardKeeper {
  /** Reads the stored guards; none when there is no file. @throws GUARDS_DAMAGED when the file holds none, and leaves it as it is */
  load(): Promise<void>
  /** Takes the directory in; new guards are stored. */
  refresh(set: PathNodeSet): void
  /** Entries to use now, preferred first. */
  entries(nowMs: number): readonly NodeKey[]
  primary(): readonly NodeKey[]
  onLink(key: NodeKey, isUp: boolean): void
  /** Waits until what was to be stored is stored. */
  flush(): Promise<void>
}

/** Creates a keeper without guards. */
export function createGuardKeeper(deps: GuardKeeperDeps): GuardKeeper {
  let state: GuardState = EMPTY_GUARD_STATE
  let health: GuardHealth = new Map()
  let writing: Promise<void> = Promise.resolve()

  function change(next: GuardState): void {
    if (next === state) return
    const isSame = JSON.stringify(next) === JSON.stringify(state)
    state = next
    if (!isSame) writing = store(writing, next)
  }

  async function store(before: Promise<void>, next: GuardState): Promise<void> {
    await before
    try {
      if (deps.path) await writeStateFile(deps.path, JSON.stringify(next))
    } catch {
      // A guard list that cannot be stored is chosen anew next time: worse for anonymity, no reason to stop now.
    }
  }

  return {
    async load() {
      const stored = deps.path && (await readStateFile(deps.path))
      if (stored) state = parseStored(stored)
    },
    refresh(set) {
      const { random, weights, nowMs } = deps
      const weightOf = (key: NodeKey): number => weights.guardWeightOf(key)
      const isNewcomer = (key: NodeKey): boolean => weights.isNewcomer(key)
      const ownNodes = deps.ownNodes()
      change(refreshGuards(state, { set, weightOf, isNewcomer, random, nowMs: nowMs(), ownNodes }))
    },
    entries: (nowMs) => guardEntries(state, health, nowMs),
    primary: () => primaryGuards(state),
    onLink(key, isUp) {
      const noted = isUp
        ? noteLinkOpened(state, health, key)
        : noteLinkFailed(state, health, key, deps.nowMs())
      health = noted.health
      change(noted.state)
    },
    flush: () => writing,
  }
}

/** An empty or cut off file is no client without guards: choosing anew is for the user to decide. */
function parseStored(stored: Uint8Array): GuardState {
  try {
    return parseGuardState(JSON.parse(utf8Text(stored) ?? ''))
  } catch (cause) {
    throw clientError('GUARDS_DAMAGED', { file: 'guards.json' }, { cause })
  }
}
