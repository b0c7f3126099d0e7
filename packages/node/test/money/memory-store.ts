/** What a paid node keeps, in memory: lost with the process, which a test may want, and failing when told to. */
import type { MoneyEvent } from '@byway/protocol/ledger'
import type { StoredBalance, StoredTokenKey } from '@byway/protocol/payment'
import type { CommitKey, ShownOpening, StoredSlotWord, StoreHealth, Winner } from '@byway/store'
import type { MoneyStore } from '../../src/money/node-money-types.ts'

export type MemoryStore = MoneyStore & {
  readonly events: MoneyEvent[]
  readonly won: Winner[]
  readonly shown: Map<string, ShownOpening>
  /** While true every write fails. */
  isBroken: boolean
  health: StoreHealth
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

export function createMemoryStore(): MemoryStore {
  let commitKeys: CommitKey[] = []
  const shown = new Map<string, ShownOpening>()
  const won: Winner[] = []
  const words = new Map<string, StoredSlotWord>()
  const spent = new Set<string>()
  const tokenKeys = new Map<string, StoredTokenKey>()
  const balanceRows = new Map<string, StoredBalance>()
  const events: MoneyEvent[] = []
  const write = async <T>(run: () => T): Promise<T> => {
    await new Promise((resolve) => setImmediate(resolve))
    if (store.isBroken) throw new Error('the disk failed')
    return run()
  }
  const store: MemoryStore = {
    isBroken: false,
    health: 'ok',
    events,
    won,
    shown,
    commitKeys: {
      add: (key) => write(() => (commitKeys.push(key), 'new')),
      list: () => write(() => [...commitKeys]),
      forgetBefore: (epoch) =>
        write(() => void (commitKeys = commitKeys.filter((key) => key.epoch >= epoch))),
    },
    openings: {
      remember: (opening) =>
        write(() => {
          const name = hex(opening.nullifier)
          if (shown.has(name)) return 'known'
          shown.set(name, opening)
          return 'new'
        }),
      get: (nullifier) => write(() => shown.get(hex(nullifier))),
      raiseFloor: (nullifier, floor) =>
        write(() => {
          const known = shown.get(hex(nullifier))
          if (!known) return undefined
          const raised = Math.max(known.floor, floor)
          shown.set(hex(nullifier), { ...known, floor: raised })
          return raised
        }),
      forgetBefore: () => write(() => 0),
    },
    slotWords: {
      all: () => write(() => [...words.values()]),
      put: (word) => write(() => void words.set(hex(word.nullifier), word)),
      remove: (nullifier) => write(() => void words.delete(hex(nullifier))),
      forgetBefore: (untilMs) =>
        write(() => {
          for (const [name, word] of words) if (word.untilMs < untilMs) words.delete(name)
        }),
    },
    winners: {
      add: (winner) => write(() => (won.push(winner), 'new')),
      get: () => write(() => undefined),
      move: () => write(() => false),
      list: () => write(() => []),
      ofSlot: (nullifier) =>
        write(() =>
          won
            .filter((winner) => hex(winner.nullifier) === hex(nullifier))
            .map((winner) => ({
              ...winner,
              state: 'received' as const,
              reason: undefined,
              carrier: undefined,
              changedAtMs: winner.receivedAtMs,
            })),
        ),
    },
    spentTokens: {
      spend: (keyId, nonce) =>
        write(() => {
          const name = `${hex(keyId)} ${hex(nonce)}`
          if (spent.has(name)) return 'spent'
          spent.add(name)
          return 'fresh'
        }),
      forget: () => write(() => undefined),
      damagedKeys: () => write(() => []),
    },
    tokenKeys: {
      list: () => write(() => [...tokenKeys.values()]),
      add: (key) => write(() => void tokenKeys.set(hex(key.keyId), key)),
      remove: (keyId) =>
        write(() => {
          tokenKeys.delete(hex(keyId))
          return { sold: 0, spent: 0 }
        }),
    },
    balances: {
      list: () => write(() => [...balanceRows.values()]),
      put: (balance) => write(() => void balanceRows.set(hex(balance.nullifier), balance)),
      remove: (nullifier) => write(() => void balanceRows.delete(hex(nullifier))),
    },
    ledger: {
      record: (event) =>
        write(() => {
          if (!events.some(({ id }) => id === event.id)) events.push(event)
        }),
    },
  }
  return store
}
