/** Taking tokens back (SPEC §16.4): forged, changed, of the wrong kind or day, twice. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { VERDICT, type SpendMessage } from '@byway/protocol/wire'
import { createSpentSet } from '../../src/payment/token-spent.ts'
import { seededBytes } from '../crypto/seeded-bytes.ts'
import {
  ADMISSION,
  BANDWIDTH,
  BULK,
  buy,
  createClientDisk,
  createHopDisk,
  DAY,
  NODE,
  NOON,
  pooledScheme,
  startClient,
  startHop,
  type TestHop,
} from './token-harness.ts'

async function tokens(hop: TestHop, count: number, nowMs = NOON): Promise<SpendMessage[]> {
  const stock = await startClient(createClientDisk(), hop, nowMs, `tokens ${nowMs}`)
  await buy(stock, hop, BANDWIDTH, count, nowMs)
  const spends: SpendMessage[] = []
  for (let i = 0; i < count; i++) {
    const spend = stock.spend(NODE, BANDWIDTH, nowMs)
    assert.ok(spend)
    spends.push(spend)
    await stock.refill(NODE, BANDWIDTH)
  }
  return spends
}

async function oneToken(hop: TestHop, nowMs = NOON): Promise<SpendMessage> {
  const [spend] = await tokens(hop, 1, nowMs)
  return spend ?? assert.fail()
}

const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, (bytes[at] ?? 0) ^ 1)

suite('what a hop takes (SPEC §16.4)', () => {
  test('a token once, and never again in the same run', async () => {
    await using hop = await startHop(createHopDisk())
    const spend = await oneToken(hop)
    const first = hop.redeemer.spend(spend, NOON)
    assert.ok(first.verdict === VERDICT.OK)
    assert.equal(await first.kept, 'fresh')
    assert.equal(hop.redeemer.spend(spend, NOON).verdict, VERDICT.SPENT)
  })

  test('a token that is spent twice before the disk answers is taken once', async () => {
    await using hop = await startHop(createHopDisk())
    const spend = await oneToken(hop)
    const verdicts = [1, 2, 3].map(() => hop.redeemer.spend(spend, NOON).verdict)
    assert.deepEqual(verdicts, [VERDICT.OK, VERDICT.SPENT, VERDICT.SPENT])
  })

  test('a token that was spent before a restart is found out by the store', async () => {
    const disk = createHopDisk()
    const hop = await startHop(disk)
    const spend = await oneToken(hop)
    const first = hop.redeemer.spend(spend, NOON)
    assert.ok(first.verdict === VERDICT.OK && (await first.kept) === 'fresh')
    await hop[Symbol.asyncDispose]()
    await using later = await startHop(disk)
    const again = later.redeemer.spend(spend, NOON)
    assert.ok(again.verdict === VERDICT.OK)
    assert.equal(await again.kept, 'spent')
    assert.equal(later.redeemer.spend(spend, NOON).verdict, VERDICT.SPENT)
  })

  test('forged, changed or of another message: refused, and nothing is written', async () => {
    const disk = createHopDisk()
    await using hop = await startHop(disk)
    const spend = await oneToken(hop)
    const { BAD_TOKEN, UNKNOWN_KEY } = VERDICT
    for (const [changed, want] of [
      [{ token: randomBytes(256) }, BAD_TOKEN],
      [{ token: flip(spend.token, 0) }, BAD_TOKEN],
      [{ token: flip(spend.token, 255) }, BAD_TOKEN],
      [{ token: spend.token.subarray(1) }, BAD_TOKEN],
      [{ nonce: flip(spend.nonce, 31) }, BAD_TOKEN],
      [{ keyId: flip(spend.keyId, 0) }, UNKNOWN_KEY],
      [{ tokenKind: ADMISSION }, UNKNOWN_KEY],
    ] as const) {
      assert.equal(hop.redeemer.spend({ ...spend, ...changed }, NOON).verdict, want)
    }
    assert.equal(disk.spent.kept.size, 0)
    assert.equal(hop.redeemer.spend(spend, NOON).verdict, VERDICT.OK)
  })

  test('a bandwidth token is no admission token, even under the admission key id', async () => {
    await using hop = await startHop(createHopDisk())
    const spend = await oneToken(hop)
    const [, admission] = hop.keyring.keysMessage().keys
    assert.ok(admission)
    const keyId = nodeCrypto
      .sha256(
        new TextEncoder().encode('byway token key v1'),
        Uint8Array.of(ADMISSION),
        admission.publicKey,
      )
      .slice(0, 8)
    const posing = { ...spend, tokenKind: ADMISSION, keyId }
    assert.equal(hop.redeemer.spend(posing, NOON).verdict, VERDICT.BAD_TOKEN)
  })

  test("a token of another hop's key is refused", async () => {
    await using hop = await startHop(createHopDisk())
    const spend = await oneToken(hop)
    const keys = pooledScheme()
    await Promise.all([keys.generateKeyPair(), keys.generateKeyPair()])
    await using other = await startHop(createHopDisk(), NOON, keys)
    assert.equal(other.redeemer.spend(spend, NOON).verdict, VERDICT.UNKNOWN_KEY)
  })

  test("yesterday's key is honoured all day, the day before yesterday's is not", async () => {
    const disk = createHopDisk()
    await using hop = await startHop(disk)
    const [one, two, three] = await tokens(hop, 3)
    assert.ok(one && two && three)
    await hop.keyring.rotate(NOON + DAY)
    assert.equal(hop.redeemer.spend(one, NOON + DAY).verdict, VERDICT.OK)
    const lastMoment = NOON + 1.5 * DAY - 1
    assert.equal(hop.redeemer.spend(two, lastMoment).verdict, VERDICT.OK)
    // The keys are not rotated yet: the date alone decides.
    assert.equal(hop.redeemer.spend(three, lastMoment + 1).verdict, VERDICT.UNKNOWN_KEY)
    const gone = await hop.keyring.rotate(lastMoment + 1)
    hop.redeemer.forget(gone)
    // The token that came too late is the only one of three that has lapsed.
    assert.deepEqual(
      gone.map(({ kind, unspent }) => [kind, unspent]),
      [
        [BANDWIDTH, 1],
        [ADMISSION, 0],
        [BULK, 0],
      ],
    )
    assert.equal(hop.redeemer.spend(three, lastMoment + 1).verdict, VERDICT.UNKNOWN_KEY)
  })

  test('with a full disk a token is not used up', async () => {
    const disk = createHopDisk()
    await using hop = await startHop(disk)
    const spend = await oneToken(hop)
    disk.isFull = true
    const first = hop.redeemer.spend(spend, NOON)
    assert.ok(first.verdict === VERDICT.OK && (await first.kept) === 'lost')
    disk.isFull = false
    const second = hop.redeemer.spend(spend, NOON)
    assert.ok(second.verdict === VERDICT.OK && (await second.kept) === 'fresh')
  })

  test('beyond 1024 tokens that wait for the disk it says try later', async () => {
    const disk = createHopDisk()
    await using hop = await startHop(disk)
    const held = { ...disk.spent, spend: () => new Promise<'fresh'>(() => {}) }
    const { createTokenRedeemer } = await import('@byway/protocol/payment')
    const redeemer = createTokenRedeemer({
      scheme: { verify: () => true },
      hash: nodeCrypto,
      keyring: hop.keyring,
      spent: held,
      random: seededBytes('x'),
    })
    const spend = await oneToken(hop)
    const random = seededBytes('nonces')
    for (let i = 0; i < 1024; i++) {
      assert.equal(redeemer.spend({ ...spend, nonce: random(32) }, NOON).verdict, VERDICT.OK)
    }
    assert.equal(redeemer.pending, 1024)
    assert.equal(redeemer.spend(spend, NOON).verdict, VERDICT.TRY_LATER)
  })
})

suite('the set of spent tokens', () => {
  test('is exact over 20 000 tokens, as a plain set is', () => {
    const set = createSpentSet(nodeCrypto, new Uint8Array(32))
    const plain = new Set<string>()
    const random = seededBytes('spent set')
    for (let i = 0; i < 20_000; i++) {
      const nonce = random(32)
      // Every third one is an old one again.
      const name = Buffer.from(nonce).toString('hex')
      assert.equal(set.add(nonce), !plain.has(name))
      plain.add(name)
      if (i % 3 === 0) assert.equal(set.add(nonce), false)
      if (i % 7 === 0) {
        set.remove(nonce)
        assert.equal(set.add(nonce), true)
      }
    }
    assert.equal(set.size, plain.size)
  })
})
