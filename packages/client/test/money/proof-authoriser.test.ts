import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BywayError, toHex } from '@byway/protocol/base'
import { createLeafTree, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import {
  createPool,
  depositLeaf,
  identityCommitment,
  openingHolds,
  refundTo,
  restNullifier,
  slotNullifier,
  u256Bytes,
  withdrawalX,
} from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import { createSlotProver, createSlotVerifier, createZkEngine } from '@byway/zk'
import { createStampProver } from '../../../protocol/test/ticket/stamp-proofs.ts'
import {
  createProofAuthoriser,
  type ProofAuthoriserDeps,
} from '../../src/money/proof-authoriser.ts'
import type { SlotAuthoriser } from '../../src/money/ports.ts'
import type { SlotProver, SlotWitness } from '../../src/money/slot-prover.ts'

const pool = createPool(nodeTicketCrypto, {
  chainId: 31_337,
  pool: new Uint8Array(20).fill(7),
  faceValue: 10n ** 17n,
  winsPerSlot: 2,
  bond: 10n ** 17n / 2n,
  unit: 10n ** 17n / 2n,
})
const { signal } = new AbortController()
const SECRET = 0xdeb05171n
const LIMIT = 12
const HOUR_MS = 3_600_000

const leafOf = (secret: bigint, limit: number): bigint =>
  depositLeaf(nodeTicketCrypto, pool, identityCommitment(nodeTicketCrypto, secret), limit)

/** A chain with leaves of others around one of ours, whose root is published when the test says so. */
function createChain(limit = LIMIT) {
  const leaves = [1n, 2n, SECRET, 3n].map((secret) => leafOf(secret, limit))
  let published = createLeafTree(leaves).root
  const chain = {
    isAway: false,
    deposit(secret: bigint): void {
      leaves.push(leafOf(secret, limit))
    },
    publish(): void {
      published = createLeafTree(leaves).root
    },
    leaves: (from: number) =>
      Promise.resolve(
        leaves.slice(from).map((leaf, i) => ({
          index: from + i,
          leaf,
          idc: 0n,
          limit,
        })),
      ),
    newestRoot: () =>
      chain.isAway
        ? Promise.reject(new BywayError('CHAIN_UNREACHABLE', 'chain', 'away', {}))
        : Promise.resolve({ root: u256Bytes(published), publishedAtS: 0 }),
  }
  return chain
}

describe('the proof authoriser (SPEC §13.5)', () => {
  let proofs = 0
  const stamps = createStampProver(pool)
  const stampProver: SlotProver = {
    prove(witness) {
      proofs++
      return stamps.prove(witness)
    },
    proveAhead: (witness, ahead) => stampProver.prove(witness, ahead),
  }

  function createAuthoriser(
    chain = createChain(),
    secrets = [SECRET],
    prover = stampProver,
    limit = LIMIT,
    nowMs = (): number => 0,
    more: Partial<ProofAuthoriserDeps> = {},
  ) {
    const deposits = secrets.map((secret) => ({ secret, limit, isPastKnown: true }))
    return createProofAuthoriser({
      crypto: nodeTicketCrypto,
      createTree: createLeafTree,
      pool,
      chain,
      deposits: () => Promise.resolve(deposits),
      sessionSecret: new Uint8Array(32).fill(9),
      prover: { ...prover, proveJoin: stamps.proveJoin },
      random: () => 0.5,
      nowMs,
      ...more,
    })
  }

  it('knows the slots of its deposits, and no others', async () => {
    const slots = await createAuthoriser().slots(signal)
    // Twelve units hold two slots of five.
    const expected = [0, 1].map((j) =>
      toHex(u256Bytes(slotNullifier(nodeTicketCrypto, pool, SECRET, j))),
    )
    assert.deepEqual(slots.map(({ nullifier }) => toHex(nullifier)).toSorted(), expected.toSorted())
    assert.deepEqual(await createAuthoriser(createChain(), [99n]).slots(signal), [])
  })

  it('makes openings that hold, bound to the key that will sign', async () => {
    using engine = createZkEngine()
    const authoriser = createAuthoriser(createChain(), [SECRET], createSlotProver(engine))
    const [slot] = await authoriser.slots(signal)
    assert.ok(slot)
    const opening = await authoriser.openingFor(slot.nullifier, signal)
    const verifier = createSlotVerifier(engine, pool)
    const holds = (domain: bigint): Promise<boolean> =>
      openingHolds(nodeTicketCrypto, verifier, domain, opening)
    assert.deepEqual([await holds(pool.domain), await holds(pool.domain + 1n)], [true, false])
    const key = authoriser.sessionKeyFor(slot.nullifier)
    assert.deepEqual(opening.sessionKey, nodeTicketCrypto.addressOfSecret(key))
  })

  it('binds what comes back to where it goes, and to nothing else (SPEC §14.4)', async () => {
    const witnesses: SlotWitness[] = []
    const prove = (witness: SlotWitness): Promise<Uint8Array> => {
      witnesses.push(witness)
      return stamps.prove(witness)
    }
    const authoriser = createAuthoriser(createChain(), [SECRET], { prove, proveAhead: prove })
    const [slot] = await authoriser.slots(signal)
    assert.ok(slot)
    const { nullifier } = slot
    const feeTo = new Uint8Array(20).fill(3)
    const to = new Uint8Array(20).fill(4)
    const terms = [0, 1].flatMap((attempt) => [5n, 6n].map((idc) => ({ idc, feeTo, attempt })))
    for (const one of terms) await authoriser.refundFor(nullifier, one, signal)
    await authoriser.withdrawalFor(nullifier, to, feeTo, signal)
    const expected = terms.map((one) => refundTo(nodeTicketCrypto, one).x)
    expected.push(withdrawalX(nodeTicketCrypto, to, feeTo))
    assert.deepEqual(
      witnesses.map(({ x }) => x),
      expected,
    )
    assert.equal(new Set(expected).size, expected.length)
  })

  it('makes openings ahead, gives each once, and makes them anew under a new root', async () => {
    const chain = createChain()
    const authoriser = createAuthoriser(chain)
    const nullifiers = (await authoriser.slots(signal)).map(({ nullifier }) => nullifier)
    const [first, second] = nullifiers
    assert.ok(first && second)
    await Promise.all([
      authoriser.prepare(nullifiers, signal),
      authoriser.prepare(nullifiers, signal),
    ])
    assert.equal(authoriser.prepared, 2)
    proofs = 0
    await authoriser.openingFor(first, signal)
    assert.equal(proofs, 0)
    assert.equal(authoriser.prepared, 1)
    chain.deposit(55n)
    chain.publish()
    const { root } = await chain.newestRoot()
    assert.deepEqual((await authoriser.openingFor(second, signal)).root, root)
    assert.equal(proofs, 1)
  })

  it('shows nothing that was kept and made for another session key, or with or without receipts where it is now the other way', async () => {
    const prepare = async (more: Partial<ProofAuthoriserDeps>): Promise<SlotAuthoriser> => {
      const authoriser = createAuthoriser(undefined, undefined, undefined, LIMIT, () => 0, more)
      const slots = await authoriser.slots(signal)
      const unshown = slots.map(({ nullifier }) => nullifier)
      await authoriser.prepare(unshown, signal)
      return authoriser
    }
    const kept: Opening[] = []
    const openings = {
      all: () => Promise.resolve([...kept]),
      put: (opening: Opening) => Promise.resolve(void kept.push(opening)),
      remove: () => Promise.resolve(),
    }
    await prepare({ openings })
    const before = kept.length
    assert.equal(before, 2)
    const made = proofs
    await prepare({ openings: { ...openings, put: () => Promise.resolve() } })
    assert.equal(proofs, made, 'of use while the keys are the same')
    const keyFor = () => Promise.resolve(new Uint8Array(32).fill(1))
    for (const change of [
      { sessionSecret: new Uint8Array(32).fill(8) },
      { receipts: { keyFor } },
    ]) {
      const was = proofs
      const authoriser = await prepare({
        openings: { ...openings, put: () => Promise.resolve() },
        ...change,
      })
      assert.equal(proofs, was + before, 'all are made anew')
      const nullifiers = kept.map(({ nullifier }) => nullifier)
      const shown = authoriser.takePrepared(nullifiers) ?? assert.fail('one is there')
      const secret = authoriser.sessionKeyFor(shown.nullifier)
      assert.deepEqual(shown.sessionKey, nodeTicketCrypto.addressOfSecret(secret))
      assert.equal(
        shown.receiptKey.some((byte) => byte !== 0),
        'receipts' in change,
      )
    }
  })

  it('makes openings under the last root it knew while the chain cannot be asked, for hours and no longer', async () => {
    const chain = createChain()
    let nowMs = 0
    const authoriser = createAuthoriser(chain, [SECRET], stampProver, LIMIT, () => nowMs)
    const [first, second] = (await authoriser.slots(signal)).map(({ nullifier }) => nullifier)
    assert.ok(first && second)
    chain.isAway = true
    await assert.rejects(authoriser.prepareOne([first], signal), { code: 'CHAIN_UNREACHABLE' })
    chain.isAway = false
    await authoriser.prepareOne([first], signal)
    const known = authoriser.takePrepared([first])
    chain.isAway = true
    nowMs += 3 * HOUR_MS
    await authoriser.prepareOne([second], signal)
    assert.deepEqual(authoriser.takePrepared([second])?.root, known?.root)
    // What a hop did not take is made under a root that is known to be the newest.
    await assert.rejects(authoriser.openingFor(first, signal), { code: 'CHAIN_UNREACHABLE' })
    nowMs += 1
    await assert.rejects(authoriser.prepareOne([second], signal), { code: 'CHAIN_UNREACHABLE' })
  })

  it('says that a deposit is too new while no root holds it, and finds it under the next', async () => {
    const chain = createChain()
    chain.deposit(77n)
    const authoriser = createAuthoriser(chain, [77n])
    const [slot] = await authoriser.slots(signal)
    assert.ok(slot)
    await assert.rejects(authoriser.openingFor(slot.nullifier, signal), { code: 'DEPOSIT_TOO_NEW' })
    chain.publish()
    await authoriser.openingFor(slot.nullifier, signal)
  })

  it('knows what a leaf has beyond its slots (SPEC §14.6)', async () => {
    const chain = createChain(2 * pool.unitsPerSlot + 3)
    const own = [SECRET]
    const authoriser = createAuthoriser(chain, own, stampProver, 2 * pool.unitsPerSlot + 3)
    assert.equal((await authoriser.slots(signal)).length, 2)
    const rest = u256Bytes(restNullifier(nodeTicketCrypto, SECRET))
    assert.deepEqual(await authoriser.leafRests(signal), [{ rest, units: 3 }])
    const terms = { idc: 5n, feeTo: new Uint8Array(20) }
    assert.equal((await authoriser.joiningFor([rest], terms, signal)).units, 3)
    const count = 2 * pool.unitsPerSlot
    const whole = createAuthoriser(createChain(count), own, stampProver, count)
    await whole.slots(signal)
    assert.deepEqual(await whole.leafRests(signal), [])
  })

  it('joins leaves that hold no slot, once a root holds them (SPEC §14.6)', async () => {
    const small = pool.unitsPerSlot - 1
    const chain = createChain(small)
    chain.deposit(77n)
    const own = [SECRET, 77n]
    const authoriser = createAuthoriser(chain, own, stampProver, small)
    assert.deepEqual(await authoriser.slots(signal), [])
    const rests = own.map((secret) => u256Bytes(restNullifier(nodeTicketCrypto, secret)))
    const [first = rests[0]] = rests
    const known = async () => (await authoriser.leafRests(signal)).map(({ rest }) => rest)
    assert.deepEqual(await known(), [first])
    const terms = { idc: 5n, feeTo: new Uint8Array(20).fill(3) }
    const joined = authoriser.joiningFor(rests, terms, signal)
    await assert.rejects(joined, { code: 'DEPOSIT_TOO_NEW' })
    chain.publish()
    assert.deepEqual(await known(), rests)
    const proof = await createAuthoriser(chain, own, stampProver, small).joiningFor(
      rests,
      terms,
      signal,
    )
    const { root } = await chain.newestRoot()
    assert.deepEqual(proof.root, root)
    assert.deepEqual(proof.rests, [...rests, new Uint8Array(32), new Uint8Array(32)])
    assert.equal(proof.units, 2 * small)
  })
})
