/** Honest nodes and many of one staker, as a client sees them that draws guards and paths among them. */
import assert from 'node:assert/strict'
import {
  choosePath,
  createPathNodeSet,
  createStakeTable,
  EMPTY_GUARD_STATE,
  guardEntries,
  ownersIn,
  primaryGuards,
  refreshGuards,
} from '@byway/protocol/directory'
import type {
  DirectoryEntry,
  NodeKey,
  PathNode,
  PathNodeSet,
  PathRequest,
} from '@byway/protocol/directory'
import { createNodeWeights } from '../../src/engine/node-weights.ts'
import { entryOf, seededRandom } from './drawn-nodes.ts'
import { NETWORK, NOW_MS } from './signed-nodes.ts'

const DAY_MS = 86_400_000
const CLIENTS = 30
const PATHS_A_DAY = 20
const RELAY = 1
const RELAY_AND_EXIT = 3

export type SybilWorld = {
  /** Public relays that are no exits. */
  readonly relays: number
  readonly exits: number
  readonly sybils: number
  /** Honest exits have no address, and six of the relays as attachments. @default false */
  readonly isAtHome?: boolean
  /** @default exits too */
  readonly sybilsAre?: 'relays'
  /** A tenth of the honest nodes is there, and all others are. */
  readonly country?: string
  /** Of the honest stakes on the first day. @default 60 */
  readonly honestDays?: number
  /** Of the other stakes on the first day. @default 0 */
  readonly sybilDays?: number
  readonly days: number
  readonly request: PathRequest
  /** Paths leave out so many nodes each, honest exits that were drawn last: "one that has just failed". @default 0 */
  readonly excluded?: number
  readonly seed: number
}

/** How often the staker's nodes are drawn, as parts of one. */
export type SybilShares = {
  readonly exits: number
  readonly beyondEntry: number
  readonly guards: number
}

export function drawSybils(world: SybilWorld): SybilShares {
  const { days, request, excluded = 0, seed } = world
  const { nodes, isSybil, stakeAgeMs } = networkOf(world)
  const random = seededRandom(seed)
  const count = { exits: [0, 0], beyondEntry: [0, 0], guards: [0, 0] }
  const note = (of: keyof SybilShares, keys: readonly NodeKey[]): void => {
    count[of] = [
      (count[of][0] ?? 0) + keys.filter(isSybil).length,
      (count[of][1] ?? 0) + keys.length,
    ]
  }
  for (let client = 0; client < CLIENTS; client++) {
    let guards = EMPTY_GUARD_STATE
    let lastExits: readonly NodeKey[] = []
    for (let day = 0; day <= days; day++) {
      const nowMs = NOW_MS + day * DAY_MS
      const weights = createNodeWeights({
        nodes: () => nodes,
        recordOf: () => undefined,
        stakeAgeMs: (claim) => stakeAgeMs(claim, day),
        nowMs: () => nowMs,
      })
      const weightOf = (key: NodeKey): number => weights.weightOf(key)
      const isNewcomer = (key: NodeKey): boolean => weights.isNewcomer(key)
      guards = refreshGuards(guards, { set: nodes, weightOf, isNewcomer, random, nowMs })
      note('guards', primaryGuards(guards))
      for (let path = 0; path < PATHS_A_DAY; path++) {
        const chosen = choosePath({
          set: nodes,
          guards: guardEntries(guards, new Map(), nowMs),
          request: { ...request, excludeNodes: new Set(lastExits) },
          weightOf,
          random,
          nowMs,
        })
        assert.equal(chosen.result, 'path')
        const keys = chosen.hops.slice(1).map(({ key }) => key)
        note('beyondEntry', keys)
        note('exits', keys.slice(-1))
        const honest = keys.slice(-1).filter((key) => !isSybil(key))
        lastExits = excluded > 0 ? [...lastExits, ...honest].slice(-excluded) : []
      }
    }
  }
  const shareOf = ([hostile = 0, all = 0]: readonly number[]): number => hostile / all
  return {
    exits: shareOf(count.exits),
    beyondEntry: shareOf(count.beyondEntry),
    guards: shareOf(count.guards),
  }
}

type Drawn = {
  readonly nodes: PathNodeSet
  readonly isSybil: (key: NodeKey) => boolean
  readonly stakeAgeMs: (
    claim: Pick<PathNode['entry']['descriptor'], 'nodeId'>,
    day: number,
  ) => number
}

function networkOf(world: SybilWorld): Drawn {
  const { relays, exits, sybils, honestDays = 60, sybilDays = 0 } = world
  const honest = relays + exits
  const staker = new Uint8Array(20).fill(7)
  const all = Array.from({ length: honest + sybils }, (_, i) => entryIn(world, i))
  // None of them says whose it is: the registry does.
  const table = createStakeTable(1n)
  for (const [i, { descriptor }] of all.entries()) {
    const { nodeId } = descriptor
    const provider = nodeId.slice(0, 20)
    const owner = i < honest ? provider : staker
    table.apply(provider, { type: 'registered', nodeId, owner, stake: 1n }, 1)
  }
  const byKey = new Map(all.map((entry) => [entry.key, entry]))
  const hostile = new Set(all.slice(honest).map(({ key }) => key))
  const nodes = createPathNodeSet(
    { get: (key) => byKey.get(key), entries: () => byKey.values() },
    NETWORK,
    undefined,
    { ownerOf: ownersIn({ view: table }) },
  )
  return {
    nodes,
    isSybil: (key) => hostile.has(key),
    stakeAgeMs({ nodeId }, day) {
      const number = new DataView(nodeId.buffer, nodeId.byteOffset).getUint32(0)
      return ((number < honest ? honestDays : sybilDays) + day) * DAY_MS
    },
  }
}

function entryIn(world: SybilWorld, i: number): DirectoryEntry {
  const { relays, exits, country, sybilsAre, isAtHome } = world
  const isSybil = i >= relays + exits
  const isExit = isSybil ? sybilsAre !== 'relays' : i >= relays
  const isThere = isSybil || i % 10 === 0
  const attachments = Array.from({ length: 6 }, (_, k) =>
    entryOf((i * 7 + k) % Math.max(1, relays)),
  )
  return entryOf(i, {
    provider: entryOf(i).descriptor.nodeId.slice(0, 20),
    roles: isExit ? RELAY_AND_EXIT : RELAY,
    ...(isExit ? {} : { exitProfile: 0, classPrices: { browse: undefined, collect: undefined } }),
    country: country === undefined ? '' : isThere ? country : 'FR',
    ...(isAtHome && isExit && !isSybil
      ? { addresses: [], attachments: attachments.map(({ descriptor }) => descriptor.nodeId) }
      : {}),
  })
}
