/** Slots, a journal and ports in memory, for the tests of the client's money. */
import { toHex } from '@byway/protocol/base'
import type { Opening } from '@byway/protocol/wire'
import type { Slot, SlotAuthoriser, SlotJournal, SlotRecord } from '../../src/money/ports.ts'

export function slotOf(number: number, isKnownUnshown = true): Slot {
  return { nullifier: new Uint8Array(32).fill(number), isKnownUnshown }
}

export type TestJournal = SlotJournal & {
  /** What the disk has, oldest first. */
  readonly records: SlotRecord[]
  /** Runs before each write. */
  onPut: () => Promise<void>
}

export function createTestJournal(records: SlotRecord[] = []): TestJournal {
  const journal: TestJournal = {
    records,
    onPut: () => Promise.resolve(),
    all: () => Promise.resolve([...records]),
    async put(record) {
      await journal.onPut()
      const at = records.findIndex(({ nullifier }) => equal(nullifier, record.nullifier))
      if (at < 0) records.push(record)
      else records[at] = record
    },
    raiseFloor: () => Promise.resolve(),
  }
  return journal
}

export type TestAuthoriser = SlotAuthoriser & {
  list: Slot[]
  /** How often openings were made, by nullifier. */
  readonly openings: string[]
  fails: Error | undefined
}

export function createTestAuthoriser(list: Slot[]): TestAuthoriser {
  const authoriser: TestAuthoriser = {
    list,
    openings: [],
    fails: undefined,
    slots: () =>
      authoriser.fails ? Promise.reject(authoriser.fails) : Promise.resolve(authoriser.list),
    openingFor(nullifier) {
      if (authoriser.fails) return Promise.reject(authoriser.fails)
      authoriser.openings.push(toHex(nullifier))
      return Promise.resolve(testOpening(nullifier, authoriser.openings.length))
    },
    sessionKeyFor: (nullifier) => Uint8Array.from(nullifier, (byte) => byte ^ 255),
  }
  return authoriser
}

function testOpening(nullifier: Uint8Array, root: number): Opening {
  return {
    root: new Uint8Array(32).fill(root),
    nullifier,
    sessionKey: new Uint8Array(20).fill(9),
    receiptKey: new Uint8Array(32),
    proof: new Uint8Array(3),
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a) === toHex(b)
}
