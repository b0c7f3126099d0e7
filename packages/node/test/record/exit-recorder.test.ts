/** A node's exit record over a real store: what it shows holds by itself, restarts and damage included. */
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { NO_LOG } from '@byway/protocol/base'
import {
  createDescriptorSet,
  exitNameOf,
  judgeExitChain,
  judgeExitProof,
  type ShownExit,
} from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { IpBytes } from '@byway/protocol/wire'
import { openStore, type Store } from '@byway/store'
import { openExitRecorder, type ExitRecorder } from '../../src/record/exit-recorder.ts'
import { makerOf, RELAY_FACTS } from '../signed-descriptors.ts'

const DAY_MS = 86_400_000
/** The first second of a page. */
const DAWN_MS = 20_833 * DAY_MS
const IDENTITY = nodeCrypto.ed25519KeyPair(new Uint8Array(32).fill(7))

const addressOf = (last: number): IpBytes => ({ family: 4, bytes: Uint8Array.of(192, 0, 2, last) })

interface World {
  readonly home: string
  nowMs: number
  /** Addresses, by their ends, that nobody reaches. */
  readonly closed: Set<number>
  /** An exit publishes, under an address that ends so; whoever is open tries it. */
  publish(number: number, last: number): Promise<void>
  /** Opens the witness, in another folder if one is named. */
  open(home?: string): Promise<OpenWitness>
}

type OpenWitness = AsyncDisposable & { readonly store: Store; readonly recorder: ExitRecorder }

/** A witness in a folder of its own, with a clock of the test's. */
async function createWorld(t: TestContext): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-record-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const makers = [1, 2, 3].map((number) => makerOf(number))
  const set = createDescriptorSet(nodeCrypto)
  const open = new Set<ExitRecorder>()
  const world: World = {
    home: join(folder, 'home'),
    nowMs: DAWN_MS + 3_600_000,
    closed: new Set(),
    async publish(number, last) {
      const address = { ...addressOf(last), port: 443 }
      const facts = {
        ...RELAY_FACTS,
        roles: 3,
        exitProfile: 1 as const,
        classPrices: { browse: 0, collect: undefined },
        addresses: [address],
      }
      const made = makers[number - 1]?.make(facts, world.nowMs) ?? assert.fail()
      assert.equal(set.offer(made, world.nowMs).result, 'accepted')
      for (const recorder of open) await recorder.look()
    },
    async open(home = world.home) {
      await mkdir(home, { recursive: true, mode: 0o700 })
      const key = new Uint8Array(32).fill(1)
      const store = await openStore({ folder: home, name: 'exits', key })
      const { pageS, nowMs } = { pageS: 86_400, nowMs: () => world.nowMs }
      const deps = {
        store,
        identity: IDENTITY,
        home,
        set,
        knock: async (_: Uint8Array, { bytes }: IpBytes) => !world.closed.has(bytes[3] ?? 0),
        random: () => 0,
        pageS,
        nowMs,
        log: NO_LOG,
      }
      const recorder = await openExitRecorder(deps)
      open.add(recorder)
      return {
        store,
        recorder,
        async [Symbol.asyncDispose]() {
          open.delete(recorder)
          await recorder[Symbol.asyncDispose]()
          await store[Symbol.asyncDispose]()
        },
      }
    },
  }
  return world
}

/** What a record shows of an address, all of which holds. */
async function shownOf(recorder: ExitRecorder, last: number, atMs = 0): Promise<ShownExit[]> {
  const address = addressOf(last)
  const found = await recorder.find(exitNameOf(nodeCrypto, address), Math.floor(atMs / 1000))
  return found.map((bytes) => {
    const verdict = judgeExitProof(nodeCrypto, bytes, address)
    return verdict.result === 'holds' ? verdict.shown : assert.fail(verdict.fault)
  })
}

function chainOf(recorder: ExitRecorder): number[] {
  const chain = judgeExitChain(nodeCrypto, IDENTITY.publicKey, recorder.heads(1))
  return chain.result === 'holds' ? chain.heads.map(({ page }) => page) : assert.fail(chain.fault)
}

test('shows an exit by its own words at first, and on a signed page from the next day on', async (t) => {
  const world = await createWorld(t)
  await using witness = await world.open()
  const { recorder } = witness
  await world.publish(1, 1)
  await world.publish(2, 2)
  const [before] = await shownOf(recorder, 1)
  assert.equal(before?.head, undefined)
  assert.deepEqual(await shownOf(recorder, 3), [])
  assert.deepEqual(recorder.heads(0), [])
  world.nowMs += DAY_MS
  await recorder.look()
  const [shown] = await shownOf(recorder, 1)
  assert.equal(shown?.head?.page, 20_833)
  assert.equal(shown?.head?.entries, 2)
  assert.deepEqual(shown?.entry.fromS, DAWN_MS / 1000 + 3600)
  // Of a moment after the page only its own words speak.
  const [today] = await shownOf(recorder, 1, world.nowMs)
  assert.equal(today?.head, undefined)
  assert.deepEqual(await shownOf(recorder, 1, DAWN_MS + 1), [])
  assert.deepEqual(chainOf(recorder), [20_833])
})

test('an exit that moves has two spans, each on the page of its end', async (t) => {
  const world = await createWorld(t)
  await using witness = await world.open()
  const { recorder } = witness
  await world.publish(1, 1)
  for (let day = 0; day < 3; day++) {
    world.nowMs += DAY_MS
    await recorder.look()
    await world.publish(1, day === 0 ? 1 : 2)
  }
  world.nowMs += DAY_MS
  await recorder.look()
  const [first] = await shownOf(recorder, 1)
  const [second] = await shownOf(recorder, 2)
  assert.equal(first?.entry.untilS, DAWN_MS / 1000 + 3600 + 2 * 86_400)
  assert.equal(first?.head?.page, 20_835)
  assert.equal(second?.entry.fromS, first?.entry.untilS)
  assert.equal(second?.head?.page, 20_836)
  assert.deepEqual(chainOf(recorder), [20_833, 20_834, 20_835, 20_836])
})

test('goes on after a restart, also one in which pages were missed', async (t) => {
  const world = await createWorld(t)
  {
    await using witness = await world.open()
    await world.publish(1, 1)
    await world.publish(2, 2)
    world.nowMs += DAY_MS
    await witness.recorder.look()
    await world.publish(1, 1)
  }
  {
    await using witness = await world.open()
    // On the page as it was signed, made again from what was kept.
    const [shown] = await shownOf(witness.recorder, 2)
    assert.equal(shown?.head?.page, 20_833)
  }
  world.nowMs += 3 * DAY_MS
  await using witness = await world.open()
  await witness.recorder.look()
  const [over] = await shownOf(witness.recorder, 1)
  assert.equal(over?.head?.page, 20_836)
  // Until its last edition had expired, and not until it was found out.
  assert.equal(over?.entry.untilS, over?.last.expiresS)
  assert.deepEqual(chainOf(witness.recorder), [20_833, 20_836])
})

test('signs no page a second time when its records are put back to an older state', async (t) => {
  const world = await createWorld(t)
  const copy = `${world.home}-copy`
  {
    await using witness = await world.open()
    await world.publish(1, 1)
    world.nowMs += DAY_MS
    await witness.recorder.look()
  }
  await cp(world.home, copy, { recursive: true })
  {
    await using witness = await world.open()
    await world.publish(1, 1)
    world.nowMs += DAY_MS
    await witness.recorder.look()
    assert.deepEqual(chainOf(witness.recorder), [20_833, 20_834])
  }
  await cp(join(copy, 'exits.db'), join(world.home, 'exits.db'))
  await using witness = await world.open()
  await world.publish(2, 2)
  await witness.recorder.look()
  assert.deepEqual(chainOf(witness.recorder), [20_833])
  world.nowMs += DAY_MS
  await witness.recorder.look()
  assert.deepEqual(chainOf(witness.recorder), [20_833, 20_835])
})

test('a row that was changed behind its back is gone, and nothing false is shown', async (t) => {
  const world = await createWorld(t)
  {
    await using witness = await world.open()
    await world.publish(1, 1)
    await world.publish(2, 2)
    world.nowMs += DAY_MS
    await witness.recorder.look()
  }
  const database = new DatabaseSync(join(world.home, 'exits.db'))
  database.prepare('UPDATE exit_span SET from_s = from_s - 9999 WHERE sequence = 1').run()
  database.close()
  await using witness = await world.open()
  assert.equal(witness.store.report.damagedRows, 1)
  assert.deepEqual(await shownOf(witness.recorder, 1), [])
  // The page cannot be made again from what is left: the other exit is shown by its own words, until the next page.
  const [other] = await shownOf(witness.recorder, 2)
  assert.equal(other?.head, undefined)
  await world.publish(2, 2)
  world.nowMs += DAY_MS
  await witness.recorder.look()
  const [again] = await shownOf(witness.recorder, 2)
  assert.equal(again?.head?.page, 20_834)
  assert.deepEqual(chainOf(witness.recorder), [20_833, 20_834])
})

test('a write that was torn costs what it wrote and no more', async (t) => {
  const world = await createWorld(t)
  const torn = `${world.home}-torn`
  {
    await using witness = await world.open()
    await world.publish(1, 1)
    world.nowMs += DAY_MS
    await witness.recorder.look()
    await world.publish(2, 2)
    await witness.recorder.look()
    // As a power cut leaves it: files as they are, the log without its last bytes.
    await cp(world.home, torn, { recursive: true })
    await truncate(join(torn, 'exits.db-wal'), 5000)
  }
  await using witness = await world.open(torn)
  for (const last of [1, 2])
    for (const { entry } of await shownOf(witness.recorder, last)) assert.ok(entry)
  await world.publish(3, 3)
  world.nowMs += DAY_MS
  await witness.recorder.look()
  const [shown] = await shownOf(witness.recorder, 3)
  assert.equal(shown?.head?.page, 20_834)
  assert.ok(chainOf(witness.recorder).includes(20_834))
})

test('an address that nobody reaches is in no record, until it is reached; who is lost for an hour ends there', async (t) => {
  const world = await createWorld(t)
  await using witness = await world.open()
  const { recorder } = witness
  world.closed.add(1)
  await world.publish(1, 1)
  assert.deepEqual(await shownOf(recorder, 1), [])
  world.closed.delete(1)
  world.nowMs += 600_000
  await recorder.look()
  const [shown] = await shownOf(recorder, 1)
  assert.equal(shown?.entry.fromS, world.nowMs / 1000)
  world.closed.add(1)
  // Half a page after it was reached it is tried again, and then six times, ten minutes apart.
  world.nowMs += DAY_MS / 2
  for (let trial = 0; trial < 6; trial++, world.nowMs += 600_000) {
    await recorder.look()
    const [still] = await shownOf(recorder, 1)
    assert.equal(still !== undefined, true)
  }
  const [over] = await shownOf(recorder, 1)
  const lostS = world.nowMs / 1000 - 600
  assert.equal(over?.entry.untilS, lostS)
  world.nowMs += 86_400_000
  await world.publish(1, 1)
  const [before] = await shownOf(recorder, 1)
  assert.equal(before?.entry.untilS, lostS, 'an edition alone does not bring it back')
  assert.equal((await shownOf(recorder, 1)).length, 1)
})

test('exits of other people at an address do not bury the first, nor one that flaps its own later ones', async (t) => {
  const world = await createWorld(t)
  await using witness = await world.open()
  const { recorder } = witness
  await world.publish(1, 1)
  const firstMs = world.nowMs
  // Another exit comes and goes at the same address, a hundred days long.
  for (let half = 0; half < 200; half++) {
    world.nowMs += DAY_MS / 2
    if (half < 2) await world.publish(1, 1)
    await world.publish(2, half % 2 === 0 ? 1 : 2)
  }
  world.nowMs += 60_000
  await world.publish(3, 1)
  const lastMs = world.nowMs
  const nodesAt = async (atMs: number): Promise<string[]> =>
    (await shownOf(recorder, 1, atMs)).map(({ entry }) => Buffer.from(entry.nodeId).toString('hex'))
  const of = (number: number): string =>
    Buffer.from(makerOf(number).make(RELAY_FACTS, DAWN_MS).subarray(1, 33)).toString('hex')
  assert.deepEqual(await nodesAt(firstMs), [of(1)])
  assert.deepEqual(await nodesAt(lastMs), [of(3)])
  const any = (await shownOf(recorder, 1)).map(({ entry }) => entry.nodeId)
  assert.equal(any.length, 4, 'two of who came twice or more, one of each other')
})
