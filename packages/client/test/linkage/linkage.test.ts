/**
 * What links and what does not (issue: "Shown by"; THREAT-MODEL T26), over a thousand circuits of twenty clients by four hops. Beyond who a hop's neighbours are, no field that it or the chain sees joins
 * two hops of a circuit, two slots, two isolation keys (but at the entry, which knows its client), a later slot and one that came back, a slot and its deposit, or a joining and any of these: what SPEC
 * §14.6 says that it shows, two to four rests, their sum and the new leaf, is one unit, and nothing outside of it has a value in common.
 *
 * Neighbours do link: a client keeps its guards, so a middle knows that a circuit is of one of that guard's clients, and middles that work together can intersect guards. That they do is shown; what is
 * gained by it over many circuits is not measured. Fields are compared twice, over all and among the units of one hop between the same two neighbours; cells over all only.
 *
 * Some clients download now and then, the others never, and whoever is paid can tell: numbers of what is bought and spent (tickets of up to 64 units, batches, bulk tokens) are compared among those that download
 * and among those that do not, at each hop too; how much tells the two apart is said. Which tunnel is a download, and which class it has, is the world's to draw: what people fetch is no client's own.
 *
 * What one client alone has is looked for anywhere; what several have in common, one field at a time: whole, and byte by byte in payment messages and on the chain. All clients read the same blocks of the
 * chain: that one goes on from where it left off is time's to tell.
 * Ways, relayers and the rests of a joining are drawn uniformly, not by the client's own choosers (return-queue.ts, choose-joining.ts): its queue leaves a relayer alone for a while that has a slot of its own,
 * and its joinings prefer rests that make whole slots. What these choices tell is not looked at.
 *
 * Proofs are stamps, the same for everybody but for what they prove; that two real ones have no point in common, not even of one witness, is shown by packages/zk/test/blinding.test.ts. Times are not looked
 * at either: those of purchases and spending are purchase-timing.test.ts's, when each return is told the queue's (packages/client/test/returns).
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CellBook } from './cell-book.ts'
import type { Agreement } from './comparison.ts'
import { CELLS, FIELDS, INNER_CELLS, OPENED_CELLS, saysHowMuch } from './expected.ts'
import { createLinkageWorld, type LinkageWorld } from './linkage-world.ts'
import { agreements, findSharedBytes, type Observation, successions } from './observations.ts'
import {
  changed,
  GOES_ON,
  goingOn,
  halves,
  nextElsewhere,
  NUMBERS,
  ownBulkKeys,
  tagged,
} from './planted.ts'

const CIRCUITS = 1000
const CLIENTS = 20
/** Another one: `SEED=n`. */
const SEED = Number(process.env['SEED'] ?? 2026)
/** Far beyond chance; and a handful of pairs, which a rare value may make, is none. */
const MOST_SIGMAS = 6
const MOST_PAIRS = 20
/** What the best threshold may tell of two kinds of forty streams or so, where chance tells 0.2. */
const MOST_APART = 0.4

/** A key is one hop's, and its name says no more than which hop it is, but among those who are at that hop. With two guards of four hops, a client's middles are seldom its guards. */
const isOfAHop = (name: string): boolean => name === 'circuit.pay.keyId'
/** Who stands beside a hop, that knows it by its link. A client keeps its guards, so that these do say something of it: compared with nothing, and all the rest among those that have them in common. */
const isNeighbour = (name: string): boolean => / (previous|next) at \d/.test(name)
/** At middles, of the kinds that have circuits enough for it in any run: a guard is some clients' and not others'. */
const GUARDED: readonly string[] = ['circuit previous at 1', 'control previous at 1']

/** Fields into which a value of a group of clients is put. */
const GROUPED: readonly string[] = [
  'circuit.pay.nonce',
  'control.opening.proof',
  'chain.bind.opening.proof',
  'chain.Inserted.idc',
  'refund.request.idc',
]

const isLink = ({ pairs, sigmas }: Agreement): boolean => pairs > MOST_PAIRS && sigmas > MOST_SIGMAS

describe(`all that hops and the chain see (seed ${SEED})`, () => {
  let world: LinkageWorld
  let seen: readonly Observation[]
  /** By unit: whether its client is one of those that download. */
  const habits = new Map<string, string>()
  const habitOf = (unit: string): string => habits.get(unit) ?? assert.fail(unit)
  /** Of one hop, with as much to carry, of clients of one habit. */
  const alikeOf = (unit: string): string =>
    `${habitOf(unit)} ${world.recorder.hopOf(unit)} ${world.recorder.sizeOf(unit)}`
  before(async () => {
    world = await createLinkageWorld({ clients: CLIENTS, hops: 4, seed: SEED })
    seen = world.recorder.seen
    await world.carry(CIRCUITS / 2)
    await world.takeBack()
    await world.carry(CIRCUITS / 2)
    world.recorder.sumUp()
    for (const { client, unit } of seen)
      habits.set(unit, world.downloads(client) ? 'downloads' : 'pages')
  })
  after(() => world[Symbol.asyncDispose]())

  it('is what a thousand circuits, their slots and their deposits have', (t) => {
    const units = new Set(seen.map(({ unit }) => unit))
    const count = (start: string): number =>
      [...units].filter((unit) => unit.startsWith(start)).length
    assert.equal(count('circuit '), CIRCUITS)
    assert.ok(count('tunnel ') < CIRCUITS, 'some went on over a second circuit')
    assert.equal(count('deposit '), CLIENTS)
    assert.ok(count('joining ') > CLIENTS, `${count('joining ')} joinings`)
    assert.ok(count('slot ') > 2 * CLIENTS * 3, `${count('slot ')} slots`)
    assert.ok(count('part ') === CLIENTS, `${count('part ')} parts`)
    assert.ok(count('reading ') > 4 * CLIENTS, `${count('reading ')} readings`)
    const names = new Set(seen.map(({ name }) => name))
    for (const name of FIELDS) assert.ok(names.has(name), `${name} was seen`)
    for (const { name, value } of seen)
      if (name.endsWith('.receiptKey') && typeof value !== 'number')
        assert.ok(
          value.some((byte) => byte !== 0),
          'a real key',
        )
    const { cells, inner, opened } = world.recorder
    for (const [book, expected] of [
      [cells, CELLS],
      [inner, INNER_CELLS],
      [opened, OPENED_CELLS],
    ] as const)
      for (const kind of expected) {
        const sizes = [...book.kinds()].filter(([name]) => name.startsWith(`${kind} of `))
        const most = Math.max(0, ...sizes.map(([, of]) => of))
        assert.ok(most > CLIENTS, `${kind} was seen by ${most}`)
      }
    const books = [cells, inner, opened]
    const bytes = books.reduce((sum, book) => sum + book.bytes, 0)
    const done = JSON.stringify(Object.fromEntries(world.wayBack.done))
    t.diagnostic(`${seen.length} fields, ${bytes} bytes of cells, ${units.size} units; ${done}`)
  })

  it('has no value that one client alone has in two of its units', () => {
    assert.deepEqual(findSharedBytes(seen), [])
  })

  it('has no value, nor byte of one, that agrees within clients more often than between them', () => {
    const isCompared = (name: string): boolean =>
      !isOfAHop(name) && !isNeighbour(name) && !saysHowMuch(name)
    assert.deepEqual(agreements(seen, { isCompared }).filter(isLink), [])
  })

  it('has no number of what passes that does so among the clients that download, or among the others', () => {
    const isCompared = saysHowMuch
    assert.deepEqual(agreements(seen, { isCompared, cohortOf: habitOf }).filter(isLink), [])
  })

  it('has none among the units of one hop that carry about as much', () => {
    const isCompared = (name: string): boolean => saysHowMuch(name) || isOfAHop(name)
    assert.deepEqual(agreements(seen, { isCompared, cohortOf: alikeOf }).filter(isLink), [])
  })

  it('has no number that goes on from one slot of a client to the next at its hop', () => {
    const { hopOf } = world.recorder
    const found = GOES_ON.map(([name, goesOn]) => successions(seen, name, goesOn, hopOf))
    assert.deepEqual(found.filter(isLink), [])
  })

  it('says to nobody but the exit which class a tunnel has', () => {
    const { classOf } = world.recorder
    const ofRelays = seen.flatMap((one) => {
      const client = classOf.get(one.unit)
      return client === undefined ? [] : [{ ...one, client }]
    })
    assert.ok(ofRelays.length > CIRCUITS)
    assert.deepEqual(agreements(ofRelays).filter(isLink), [])
    const told = ofRelays.map((one) => ({ ...one, name: 'class', value: one.client }))
    assert.ok(agreements(told).some(isLink), 'it would be found')
  })

  it('shows by what they buy and spend which clients download', (t) => {
    const isCompared = saysHowMuch
    const ofHabits = seen.map((one) => ({ ...one, client: Number(world.downloads(one.client)) }))
    for (const [who, list] of [
      ['a client', seen],
      ['those that download', ofHabits],
    ] as const) {
      const found = agreements(list, { isCompared }).filter(isLink)
      for (const { name, advantage, sigmas } of found.filter(
        (one) => !one.name.includes(' byte '),
      )) {
        const more = `${(100 * advantage).toFixed(1)} pairs of 100 more than by chance`
        t.diagnostic(`${name} of ${who}: ${more}, ${sigmas.toFixed(1)} σ`)
      }
      assert.ok(who === 'a client' || found.length > 0, 'as THREAT-MODEL says')
    }
  })

  it('does not show by how bulk tokens begin whether a client had some of that hop before', (t) => {
    const { bulkBegins } = world.recorder
    for (const what of ['before', 'among'] as const) {
      const [first, again] = [false, true].map((isAgain) =>
        bulkBegins.flatMap((one) => (one.isAgain === isAgain ? (one[what] ?? []) : [])),
      )
      assert.ok(first && again && first.length > CLIENTS && again.length > CLIENTS)
      const part = (of: readonly number[], most: number): number =>
        of.filter((others) => others <= most).length / of.length
      const apart = Math.max(...again.map((most) => part(again, most) - part(first, most)))
      t.diagnostic(
        `${what}: first ${summary(first)}, again ${summary(again)}, ${apart.toFixed(2)} apart`,
      )
      assert.ok(apart < MOST_APART, `${what}: ${apart}`)
    }
  })

  it('has none either among the units that one hop has between the same neighbours', () => {
    const { standOf } = world.recorder
    const cohortOf = (unit: string): string => `${standOf(unit)} ${habitOf(unit)}`
    const isCompared = (name: string): boolean => !isNeighbour(name)
    assert.deepEqual(agreements(seen, { cohortOf, isCompared }).filter(isLink), [])
  })

  it('shows which guards a client has: to middles by name, to exits by who is never between', (t) => {
    const found = agreements(seen, { isCompared: isNeighbour })
    const links = found.filter(isLink).map(({ name }) => name)
    for (const { name, sigmas } of found) t.diagnostic(`${name}: ${sigmas.toFixed(1)} σ`)
    for (const name of GUARDED) assert.ok(links.includes(`${name} first`), name)
    assert.ok(links.includes('circuit previous at 2 first'))
  })

  it('has no 32 bytes of a cell’s body in two units of one client', () => {
    for (const book of [world.recorder.cells, world.recorder.inner])
      assert.deepEqual(book.shared(), [])
  })

  it('has no byte of a cell, header or body, that agrees within clients more often than between them', () => {
    const { cells, inner, opened } = world.recorder
    for (const book of [cells, inner]) assert.deepEqual(book.agreements().filter(isLink), [])
    // Where padding begins in what is opened says how much is bought.
    const cohortOf = (client: number): string => String(world.downloads(client))
    const found = opened.agreements(undefined, undefined, cohortOf)
    assert.deepEqual(found.filter(isLink), [])
  })

  it('would have shown a leak: the same test finds each of these', () => {
    const leaks: readonly [string, (one: Observation) => Uint8Array | number | undefined][] = [
      // A client's own bytes in the nonce of its tokens, at whatever hop they are spent.
      ['circuit.pay.nonce', ({ client, value }) => tagged(value, client)],
      // A session key that is used for every slot.
      ['control.opening.sessionKey', ({ client, value }) => tagged(value, client, 20)],
      // One receipt key for two slots.
      ['control.opening.receiptKey', ({ client, value }) => tagged(value, client, 32)],
      // Eight bytes in the middle of a proof.
      ['control.opening.proof', ({ client, value }) => tagged(value, client, 8, 120)],
      // A rest that is named by its owner.
      ['joining.request.rests', ({ client, value }) => tagged(value, client)],
      // A session key that a relayer is told, and every other relayer too.
      ['close.request.sessionKey', ({ client, value }) => tagged(value, client, 20)],
      // A leaf that two relayers are to fill.
      ['refund.request.idc', ({ client, value }) => tagged(value, client, 32)],
      // A reader that puts something of its own into what it asks each time.
      ['asking.question.data', ({ client, value }) => tagged(value, client, 4)],
      // A slot that comes back to the deposit it came from.
      ['chain.Inserted.idc', ({ client, value }) => tagged(value, client, 32)],
    ]
    for (const [name, leak] of leaks) {
      const leaking = seen
        .filter((one) => one.name === name)
        .map((one) => ({ ...one, value: leak(one) ?? one.value }))
      assert.ok(findSharedBytes(leaking).length > 0, `${name} is found`)
    }
    // A number of few bits: an index that begins where the client's last slot ended.
    const counting = seen
      .filter(({ name }) => name === 'control.index')
      .map((one) => ({ ...one, value: one.client % 5 }))
    assert.ok(agreements(counting).some(isLink))
    // Streams that are numbered over all tunnels of a client, and not in each.
    const streams = seen
      .filter(({ name }) => name === 'circuit.stream')
      .map((one) => ({ ...one, value: one.client * 100 + Number(one.value) }))
    assert.ok(agreements(streams).some(isLink))
    // A field of three bytes that a client has at each hop, and no more than four clients in common.
    const short = seen
      .filter(({ name }) => name === 'circuit.pay.nonce')
      .map((one) => ({ ...one, value: Uint8Array.of(7, one.client % 5, 9) }))
    assert.ok(agreements(short).some(isLink))
  })

  it('would have shown what larger payments and classes could say: the same test finds each of these', () => {
    const { hopOf } = world.recorder
    for (const [name, change] of NUMBERS) {
      const leaking = changed(seen, name, ({ client, value }) => change(Number(value), client))
      for (const cohortOf of [habitOf, alikeOf])
        assert.ok(agreements(leaking, { cohortOf }).some(isLink), name)
    }
    for (const name of ['circuit.classStep', 'circuit.priceStep', 'circuit.trafficClass']) {
      const habit = changed(seen, name, ({ client }) => client % 3)
      assert.ok(agreements(habit).some(isLink), name)
    }
    const bulkKeys = ownBulkKeys(seen)
    assert.ok(findSharedBytes(bulkKeys).length > 0, 'a bulk key of one client alone')
    assert.ok(agreements(bulkKeys, { cohortOf: alikeOf }).some(isLink))
    assert.ok(findSharedBytes(nextElsewhere(seen)).length > 0, 'NEXT, shown elsewhere')
    for (const [name, goesOn] of GOES_ON) {
      const leaking = name === 'control.count' ? halves(seen, hopOf) : goingOn(seen, name, hopOf)
      assert.ok(isLink(successions(leaking, name, goesOn, hopOf)), name)
    }
  })

  it('would have shown a value of 8 or 20 bytes that two or four clients have in common', () => {
    for (const name of GROUPED)
      for (const bytes of [8, 20])
        for (const groups of [5, 10]) {
          const what = `${bytes} bytes of ${groups} groups, ${name}`
          const fields = seen.filter((one) => one.name === name)
          // Each group has two clients or more of whom there is such a field: else what is in common would be somebody's own.
          const clients = [...new Set(fields.map(({ client }) => client))]
          const most = Math.min(groups, Math.floor(clients.length / 2))
          const grouped = (change: (value: Uint8Array, tag: Uint8Array) => Uint8Array) =>
            fields.map((one) => {
              const tag = new Uint8Array(bytes).fill(1 + (clients.indexOf(one.client) % most))
              assert.ok(typeof one.value !== 'number')
              return { ...one, value: change(one.value, tag) }
            })
          const whole = agreements(grouped((_value, tag) => tag)).filter(isLink)
          assert.ok(
            whole.some((found) => found.name === `${name} first`),
            what,
          )
          // Where nothing else begins or ends.
          const inside = grouped((value, tag) => {
            const tampered = value.slice()
            // Four bytes of each window stay: with fewer, two of one client's are alike once in some runs.
            tampered.set(tag, 4)
            return tampered
          })
          const found = agreements(inside).filter(isLink)
          assert.ok(found.filter((one) => one.name.includes(' first of ')).length >= bytes, what)
          // No window tells it: what is in common is nobody's own.
          assert.deepEqual(findSharedBytes(inside), [], what)
        }
  })

  it('would have shown what a hop can tell clients apart by that come by the same neighbours', () => {
    for (const name of ['circuit.pay.keyId', 'circuit.pay.nonce', 'control.opening.sessionKey']) {
      const fields = seen
        .filter((one) => one.name === name)
        .map((one) => ({ ...one, value: new Uint8Array(8).fill(one.client % 5) }))
      assert.ok(agreements(fields, { cohortOf: world.recorder.standOf }).some(isLink), name)
    }
  })

  it('would have shown one byte deep in a cell of any kind, and 32 of them', () => {
    const { cells, inner, opened } = world.recorder
    const places: readonly [CellBook, string, number][] = [
      [cells, 'circuit create at 2 of 4096', 3001],
      [cells, 'circuit backward at 2 of 4096', 4000],
      [inner, 'circuit forward at 1 of 4096', 2000],
      [inner, 'circuit backward at 1 of 4096', 2500],
      [inner, 'return forward at 1 of 1024', 700],
      [inner, 'chain backward at 1 of 1024', 9],
      // In the padding of what the exit, a relayer and a node that is asked open.
      [opened, 'circuit opened at 2 of 4096', 3900],
      [opened, 'return opened at 2 of 1024', 990],
      [opened, 'chain opened at 2 of 1024', 990],
    ]
    for (const [book, kind, place] of places) {
      const found = book
        .agreements([kind], (client, at, byte) => (at === place ? client : byte))
        .filter(isLink)
        .map(({ name }) => name)
      assert.deepEqual(found, [`${kind}, byte ${place}`])
    }
    const book = new CellBook()
    for (const unit of ['one', 'other']) {
      const cell = new Uint8Array(4096).fill(unit.length)
      for (const at of cell.keys()) cell[at] = (at * at * unit.length) >> 3
      book.add(1, unit, 'create', 'hop', cell.fill(7, 9 + 3200, 9 + 3232))
    }
    book.add(2, 'another', 'create', 'hop', new Uint8Array(4096).fill(9))
    assert.deepEqual(
      book.shared().map(({ units }) => units),
      [['one', 'other']],
    )
  })
})

/** Median, and from the first to the last tenth. */
function summary(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? 0
  return `${at(0.5)} (${at(0.1)} to ${at(0.9)}, ${sorted.length})`
}
