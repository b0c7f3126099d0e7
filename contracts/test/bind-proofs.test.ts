/**
 * Batches of slot proofs through the pool, as it is deployed: its `bind` with the authoriser that judges zero-knowledge proofs. They are forged with the known secrets of the
 * development set-up, so that each holds for its own opening and for no other.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { slotProofAuthoriserArtifact } from '@byway/chain'
import { concat, createPublicClient, encodeFunctionData, type Hex, http, slice, toHex } from 'viem'
import { openingX, uint } from './kit/bytes.ts'
import { forgeProof } from './kit/forger.ts'
import type { Key } from './kit/keys.ts'
import type { Receipt } from './kit/rpc.ts'
import { type Scene, startScene } from './kit/scene.ts'
import { NO_TERMS, type Slot } from './kit/slots.ts'
import { PROFILE, UNITS_PER_SLOT } from './kit/world.ts'

const BATCH = 16
const SPOILED = 5
/** The dearest of these, as measured, and some room: one bad proof must not make a bind too large for a block. */
const MOST_GAS = 9_000_000n
const WORD = 32
/** Gas of calls that are tried, from what their bytes alone cost to more than two proofs need. */
const LEAST_LIMIT = 40_000
const MOST_LIMIT = 500_000
const LIMIT_STEP = 500

/** Lies of one proof, by the word that is changed: each is found at another place of the judging. */
const SPOILS = { 'A off the curve': 0, 'B off the curve': 2, 'C off the curve': 6 } as const

describe('a batch of slot proofs before the pool (SPEC §14.5)', () => {
  let scene: Scene
  let provider: Key
  let slots: readonly Slot[]

  before(async () => {
    const { winValue, winsPerSlot, bond, unit } = PROFILE
    const args = [winValue, winsPerSlot, bond, unit]
    scene = await startScene({ authoriser: { ...slotProofAuthoriserArtifact, args } })
    provider = await scene.provider('provider')
    const opened = await scene.slots('owner', BATCH)
    slots = await Promise.all(opened.map((slot) => proven(scene, slot)))
  })
  after(async () => await scene[Symbol.asyncDispose]())

  const bind = (shown: readonly Slot[]): Promise<Receipt> => {
    const { client } = scene
    const wins = shown.map((slot) => [slot, client.winning(slot, provider.address, 1)] as const)
    return scene.bind(provider, wins)
  }

  /** Binds them, looks at every slot and takes it all back. */
  async function gasOfAllBut(bad: readonly number[], shown: readonly Slot[]): Promise<bigint> {
    let gas = 0n
    await scene.world.rpc.undoing(async () => {
      const receipt = await bind(shown)
      const states = await Promise.all(shown.map(({ nullifier }) => scene.word(nullifier)))
      const wanted = shown.map((_, i) => (bad.includes(i) ? 'NONE' : 'BOUND'))
      assert.deepEqual(
        states.map(({ state }) => state),
        wanted,
      )
      assert.deepEqual(
        scene.skips(receipt),
        bad.map(() => 'BAD_PROOF'),
      )
      assert.ok(receipt.gasUsed < MOST_GAS, `${receipt.gasUsed} gas`)
      gas = receipt.gasUsed
    })
    return gas
  }

  it('binds sixteen at once', async (t) => {
    t.diagnostic(`${await gasOfAllBut([], slots)} gas`)
  })

  for (const [lie, word] of Object.entries(SPOILS))
    it(`skips the one that is spoiled, ${lie}, and binds the others`, async (t) => {
      const proof = withWord(slots[SPOILED]?.opening.proof ?? '0x', word)
      const shown = slots.map((slot, i) => (i === SPOILED ? withProof(slot, proof) : slot))
      t.diagnostic(`${await gasOfAllBut([SPOILED], shown)} gas`)
    })

  it('skips the one whose proof is another slot’s, and binds the others', async (t) => {
    const shown = slots.with(SPOILED, takes(SPOILED, 0))
    t.diagnostic(`${await gasOfAllBut([SPOILED], shown)} gas`)
  })

  it('skips two whose proofs stand at each other’s place, and binds the others', async (t) => {
    const [one, two] = [SPOILED, SPOILED + 1]
    const shown = slots.with(one, takes(one, two)).with(two, takes(two, one))
    t.diagnostic(`${await gasOfAllBut([one, two], shown)} gas`)
  })

  for (const bytes of [1, WORD, 128])
    it(`skips two neighbours of whose bytes ${bytes} stand with the other, and binds the others`, async (t) => {
      const [one, two] = [SPOILED, SPOILED + 1]
      const all = concat([one, two].map((at) => slots[at]?.opening.proof ?? '0x'))
      const cut = 256 - bytes
      const [less, more] = [slice(all, 0, cut), slice(all, cut)]
      const shown = slots.map((slot, i) =>
        i === one ? withProof(slot, less) : i === two ? withProof(slot, more) : slot,
      )
      t.diagnostic(`${await gasOfAllBut([one, two], shown)} gas`)
    })

  for (const count of [1, 2])
    it(`reverts with too little gas, and never calls a true proof bad: ${count}`, async () => {
      const { rpc } = scene.world
      const [openings, tickets] = [[], []] as [unknown[], unknown[]]
      for (const slot of slots.slice(0, count)) {
        openings.push(slot.opening)
        tickets.push(scene.client.winning(slot, provider.address, 1))
      }
      const batch = { provider: provider.address, openings, tickets, terms: NO_TERMS }
      const { abi, to, name, args } = scene.world.inPool('bind', [batch])
      const data = encodeFunctionData({ abi, functionName: name, args })
      const done = async (gas: number): Promise<number | undefined> => {
        const call = { from: provider.address, to, data, gas: toHex(gas) }
        return await rpc.request('eth_call', call, 'latest').then(Number, () => undefined)
      }
      const changes: (number | undefined)[] = []
      for (let gas = LEAST_LIMIT; gas <= MOST_LIMIT; gas += LIMIT_STEP) {
        const bound = await done(gas)
        if (changes.length === 0 || bound !== changes.at(-1)) changes.push(bound)
      }
      assert.deepEqual(changes, [undefined, count], 'first too little, then enough')
    })

  /** The slot at one place with the proof of another. */
  function takes(at: number, from: number): Slot {
    const [slot, other] = [slots[at], slots[from]]
    assert.ok(slot && other)
    return withProof(slot, other.opening.proof)
  }
})

/** The slot with a proof that holds for its opening. */
async function proven({ client, world }: Scene, slot: Slot): Promise<Slot> {
  const { root, nullifier, sessionKey, receiptKey } = slot.opening
  const x = openingX(sessionKey, receiptKey)
  const signals = [root, nullifier, client.domain, x, client.tag, BigInt(UNITS_PER_SLOT)]
  const chain = createPublicClient({ transport: http(world.rpc.url) })
  return withProof(slot, await forgeProof(chain, 'slot', signals, undefined))
}

function withProof(slot: Slot, proof: Hex): Slot {
  return { ...slot, opening: { ...slot.opening, proof } }
}

/** The proof with one word that is one more: no point of the curve any longer. */
function withWord(proof: Hex, at: number): Hex {
  const words = Array.from({ length: 8 }, (_, i) => slice(proof, i * WORD, (i + 1) * WORD))
  return concat(words.map((word, i) => (i === at ? uint(BigInt(word) + 1n, 256) : word)))
}
