/**
 * Real slot proofs before the contract that judges them, one by one and in batches, on a real chain.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { LeanIMT } from '@zk-kit/lean-imt'
import { poseidon1, poseidon2, poseidon3 } from 'poseidon-lite'
import { createPublicClient, createTestClient, encodeDeployData, http, toHex } from 'viem'
import type { Address, Hex } from 'viem'
import { type Anvil, slotProofAuthoriserArtifact, startAnvil } from '@byway/chain'
import { createZkEngine, slotInput, type SlotWitness } from '@byway/zk'
import { createHash } from 'node:crypto'
import { proofBytes } from './kit/bytes.ts'

const WIN = 10n ** 17n
const WINS = 2n
const BOND = WIN / 2n
const UNITS_PER_SLOT = 5n
const DOMAIN = 4242n
const FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const BASE_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n
const PROOFS = 4
/** More than a deployment takes. */
const GAS = 30_000_000n

type Statement = { readonly root: bigint; readonly nullifier: bigint; readonly x: bigint }

/** SPEC §13.2. */
function tagOf(): bigint {
  const word = (value: bigint): Buffer => Buffer.from(toHex(value, { size: 32 }).slice(2), 'hex')
  const hash = createHash('sha256').update('byway profile v1')
  for (const value of [WIN, WINS, BOND]) hash.update(word(value))
  return BigInt(`0x${hash.digest('hex')}`) >> 8n
}

describe('the slot proof authoriser', () => {
  const stop = new AbortController()
  let anvil: Anvil
  let address: Address
  let statements: Statement[]
  let proofs: Hex[]
  let client: ReturnType<typeof createPublicClient>

  before(async () => {
    anvil = await startAnvil({ signal: stop.signal })
    client = createPublicClient({ transport: http(anvil.url) })
    address = await deploy()
    ;({ statements, proofs } = await prove())
  })
  after(async () => {
    await anvil[Symbol.asyncDispose]()
  })

  async function deploy(): Promise<Address> {
    const from = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
    const test = createTestClient({ mode: 'anvil', transport: http(anvil.url) })
    const { abi, bytecode } = slotProofAuthoriserArtifact
    const data = encodeDeployData({ abi, bytecode, args: [WIN, WINS, BOND, BOND] })
    const hash = await test.sendUnsignedTransaction({ from, data, gas: GAS })
    const { contractAddress } = await client.waitForTransactionReceipt({ hash })
    assert.ok(contractAddress)
    return contractAddress
  }

  async function prove(): Promise<{ statements: Statement[]; proofs: Hex[] }> {
    const tag = tagOf()
    const tree = new LeanIMT((left, right) => poseidon2([left, right]))
    const secrets = Array.from({ length: PROOFS }, (_, i) => BigInt(900 + i))
    for (const secret of secrets) tree.insert(poseidon3([poseidon1([secret]), 40n, tag]))
    using engine = createZkEngine()
    const made = secrets.map(async (secret, i) => {
      const { siblings, index } = tree.generateProof(i)
      const path = siblings.map((sibling, step) => ({
        sibling,
        isLeft: ((index >> step) & 1) === 1,
      }))
      const x = BigInt(7000 + i)
      const shown = { domain: DOMAIN, x, tag, unitsPerSlot: UNITS_PER_SLOT }
      const witness: SlotWitness = { ...shown, secret, limit: 40, j: i, path }
      const { signals, proof } = await engine.prove('slot', slotInput(witness))
      const [root = 0n, nullifier = 0n] = signals
      return { statement: { root, nullifier, x }, proof: toHex(proof) }
    })
    const all = await Promise.all(made)
    return {
      statements: all.map(({ statement }) => statement),
      proofs: all.map(({ proof }) => proof),
    }
  }

  const one = async ({ root, nullifier, x }: Statement, proof: Hex, domain = DOMAIN) =>
    await client.readContract({
      address,
      abi: slotProofAuthoriserArtifact.abi,
      functionName: 'verify',
      args: [root, nullifier, domain, x, proof],
    })
  const all = async (some: readonly Statement[], their: readonly Hex[], domain = DOMAIN) =>
    await client.readContract({
      address,
      abi: slotProofAuthoriserArtifact.abi,
      functionName: 'verifyAll',
      args: [domain, proofBytes(some, their)],
    })
  const first = (): [Statement, Hex] => {
    const [statement] = statements
    const [proof] = proofs
    assert.ok(statement && proof)
    return [statement, proof]
  }

  it('takes every true proof, alone and together', async () => {
    for (const [i, statement] of statements.entries())
      assert.equal(await one(statement, proofs[i] ?? '0x'), true)
    for (let n = 1; n <= PROOFS; n++)
      assert.equal(await all(statements.slice(0, n), proofs.slice(0, n)), true)
  })

  it('refuses a batch in which anything is wrong: a proof, its place, a public input, the domain', async () => {
    assert.equal(await all([], []), false)
    assert.equal(await all(statements, proofs.slice(1)), false)
    assert.equal(await all(statements, proofs.toReversed()), false)
    assert.equal(await all(statements, proofs, DOMAIN + 1n), false)
    for (const [i, statement] of statements.entries()) {
      for (const name of ['root', 'nullifier', 'x'] as const) {
        const changed = statements.with(i, { ...statement, [name]: statement[name] + 1n })
        assert.equal(await all(changed, proofs), false, `${name} of ${i}`)
      }
    }
  })

  it('refuses two wrong proofs whose errors would cancel in an unweighted sum', async () => {
    // C of the one moved to the other: A·B and the inputs sum up as before.
    const cOf = (proof: Hex): string => proof.slice(2 + 6 * 64)
    const [a = '0x', b = '0x'] = proofs
    const swapped: Hex[] = [
      `0x${a.slice(2, 2 + 6 * 64)}${cOf(b)}`,
      `0x${b.slice(2, 2 + 6 * 64)}${cOf(a)}`,
    ]
    assert.equal(await all(statements.slice(0, 2), swapped), false)
  })

  it('refuses every other form of a true statement', async () => {
    const [statement, proof] = first()
    for (const name of ['root', 'nullifier', 'x'] as const)
      assert.equal(await one({ ...statement, [name]: statement[name] + FIELD_ORDER }, proof), false)
    assert.equal(await one(statement, proof, DOMAIN + FIELD_ORDER), false)
    for (let word = 0; word < 8; word++) {
      const start = 2 + word * 64
      const value = BigInt(`0x${proof.slice(start, start + 64)}`)
      const aliased = (value + BASE_ORDER).toString(16)
      if (aliased.length > 64) continue
      const other: Hex = `0x${proof.slice(2, start)}${aliased.padStart(64, '0')}${proof.slice(start + 64)}`
      assert.equal(await one(statement, other), false, `word ${word}`)
    }
  })

  it('answers false, and does not revert, for bytes that are no proof', async () => {
    const [statement, proof] = first()
    const zeros: Hex = `0x${'00'.repeat(256)}`
    const ones: Hex = `0x${'ff'.repeat(256)}`
    // Points at infinity; identity-points.test.ts has those of proofs that hold otherwise.
    const infinite: Hex = `0x${'00'.repeat(64)}${proof.slice(2 + 2 * 64, 2 + 6 * 64)}${'00'.repeat(64)}`
    const others: Hex[] = [
      '0x',
      '0x00',
      proof.slice(0, -2) as Hex,
      `${proof}00`,
      zeros,
      ones,
      infinite,
    ]
    for (const other of others) assert.equal(await one(statement, other), false)
    for (let byte = 0; byte < 256; byte += 31) {
      const at = 2 + 2 * byte
      const digit = proof[at] === '0' ? '1' : '0'
      assert.equal(
        await one(statement, `0x${proof.slice(2, at)}${digit}${proof.slice(at + 1)}`),
        false,
      )
    }
  })
})
