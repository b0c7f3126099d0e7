/**
 * Proofs with a point at infinity, forged with the known secrets of the development set-up so that all else about them holds: the contract refuses them for that point alone, which a proof with zeros
 * put into it cannot show. The same contract without its check accepts each of them.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createPublicClient, createTestClient, encodeDeployData, http } from 'viem'
import type { Abi, Address, Hex, PublicClient } from 'viem'
import { type Anvil, slotProofAuthoriserArtifact, startAnvil } from '@byway/chain'
import type { ProgramName } from '@byway/zk'
import { compileChanged } from '../tools/solc.ts'
import { proofBytes } from './kit/bytes.ts'
import { forgeProof, INFINITE_POINTS, type InfinitePoint } from './kit/forger.ts'

/** V, K, b and u of a profile. */
const TERMS = [10n ** 17n, 2n, 10n ** 17n / 2n, 10n ** 17n / 2n] as const
const UNITS_PER_SLOT = 5n
const [ROOT, NULLIFIER, DOMAIN, X, UNITS] = [11n, 12n, 4242n, 13n, 3n]
const SENDER = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const GAS = 30_000_000n
/** The checks by which no point at infinity passes: of `Bn254.readProof`, and of A, B and C in `Groth16Batch`. */
const CHECKS = /ok = ok && \(words\[0\][^;]*;|ok := and\(ok, gt\(or\(.*, 0\)\)/g
const CHECK_COUNT = 4
const { bytecode } = slotProofAuthoriserArtifact
const abi: Abi = slotProofAuthoriserArtifact.abi

/** Each way into the contract with a proof, and what the program publishes for its statement. */
const ENTRANCES = {
  verify: {
    program: 'slot',
    signals: (tag: bigint) => [ROOT, NULLIFIER, DOMAIN, X, tag, UNITS_PER_SLOT],
    args: (proof: Hex) => [ROOT, NULLIFIER, DOMAIN, X, proof],
  },
  verifyAll: {
    program: 'slot',
    signals: (tag: bigint) => [ROOT, NULLIFIER, DOMAIN, X, tag, UNITS_PER_SLOT],
    args: (proof: Hex) => {
      const statement = { root: ROOT, nullifier: NULLIFIER, x: X }
      return [DOMAIN, proofBytes([statement, statement], [proof, proof])]
    },
  },
  verifyUnused: {
    program: 'withdraw-unused',
    signals: (tag: bigint) => {
      const shown = [ROOT, NULLIFIER, ...Array.from({ length: 15 }, () => 0n)]
      return [...shown, NULLIFIER + 1n, UNITS, DOMAIN, X, tag, UNITS_PER_SLOT]
    },
    args: (proof: Hex) => {
      const nullifiers = [NULLIFIER, ...Array.from({ length: 15 }, () => 0n)]
      const rest = { rest: NULLIFIER + 1n, restUnits: UNITS, x: X }
      return [DOMAIN, { root: ROOT, nullifiers, ...rest }, proof]
    },
  },
  verifyJoin: {
    program: 'join',
    signals: (tag: bigint) => [NULLIFIER, 0n, 0n, 0n, UNITS, ROOT, X, tag, UNITS_PER_SLOT],
    args: (proof: Hex) => [
      { root: ROOT, rests: [NULLIFIER, 0n, 0n, 0n], units: UNITS, x: X },
      proof,
    ],
  },
} as const satisfies Record<
  string,
  {
    program: ProgramName
    signals: (tag: bigint) => readonly bigint[]
    args: (proof: Hex) => readonly unknown[]
  }
>
type Entrance = keyof typeof ENTRANCES

describe('points at infinity in a proof that holds otherwise (SPEC §13.2)', () => {
  const stop = new AbortController()
  let anvil: Anvil
  let client: PublicClient
  let checked: Address
  let unchecked: Address
  let tag: bigint

  before(async () => {
    anvil = await startAnvil({ signal: stop.signal })
    client = createPublicClient({ transport: http(anvil.url) })
    checked = await deploy(bytecode)
    unchecked = await deploy(withoutCheck())
    tag = BigInt(String(await client.readContract({ address: checked, abi, functionName: 'tag' })))
  })
  after(async () => await anvil[Symbol.asyncDispose]())

  async function deploy(code: Hex): Promise<Address> {
    const test = createTestClient({ mode: 'anvil', transport: http(anvil.url) })
    const data = encodeDeployData({ abi, bytecode: code, args: TERMS })
    const hash = await test.sendUnsignedTransaction({ from: SENDER, data, gas: GAS })
    const { contractAddress } = await client.waitForTransactionReceipt({ hash })
    return contractAddress ?? assert.fail('it is deployed')
  }

  async function says(
    address: Address,
    entrance: Entrance,
    infinite: InfinitePoint | undefined,
  ): Promise<unknown> {
    const { program, signals, args } = ENTRANCES[entrance]
    const proof = await forgeProof(client, program, signals(tag), infinite)
    return await client.readContract({ address, abi, functionName: entrance, args: args(proof) })
  }

  for (const entrance of Object.keys(ENTRANCES) as Entrance[]) {
    it(`are refused for themselves alone: ${entrance}`, async () => {
      assert.equal(await says(checked, entrance, undefined), true, 'forged, and of three points')
      for (const infinite of INFINITE_POINTS) {
        assert.equal(await says(checked, entrance, infinite), false, infinite)
        assert.equal(await says(unchecked, entrance, infinite), true, `${infinite} unchecked`)
      }
    })
  }
})

/** The contract out of sources that lack the checks. */
function withoutCheck(): Hex {
  let removed = 0
  const compiled = compileChanged(['contracts/src/SlotProofAuthoriser.sol'], (source) =>
    source.replace(CHECKS, () => {
      removed++
      return ''
    }),
  )
  assert.equal(removed, CHECK_COUNT, 'the checks are where they were')
  const code = compiled.find(({ name }) => name === 'SlotProofAuthoriser')?.bytecode
  return `0x${code ?? assert.fail('it compiles')}`
}
