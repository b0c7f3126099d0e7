/**
 * A whole ceremony on the real `slot` program, by the commands that people type (docs/CEREMONY.md), and what its key is then: proofs made with it hold before our verifier and before the contract
 * that was compiled with it, on a chain that refuses development keys. The other three programs are small ones here, as in `install.test.ts`. `POWERS` names a prepared file of 2^13 powers or
 * more; without it powers of one contributor are made, which takes most of the time.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { slotProofAuthoriserArtifact } from '@byway/chain'
import {
  assertSetUpServes,
  createZkEngine,
  type Proved,
  slotInput,
  type SlotWitness,
  type ZkEngine,
} from '@byway/zk'
import { LeanIMT } from '@zk-kit/lean-imt'
import { poseidon1, poseidon2, poseidon3 } from 'poseidon-lite'
import { bytesToHex, type Hex } from 'viem'
import { profileTag } from '../../contracts/test/kit/bytes.ts'
import { startRpc } from '../../contracts/test/kit/rpc.ts'
import { DEPLOYER, PROFILE, UNITS_PER_SLOT } from '../../contracts/test/kit/world.ts'
import { copyProject, type ProjectCopy } from './kit/project-copy.ts'
import { SMALL_PROGRAM } from './kit/small-program.ts'

const skip = process.env['SLOW'] !== '1' && 'five minutes of all cores: with SLOW=1'
const TOOL = 'zk-programs/tools/ceremony.ts'
const OTHERS = ['withdraw-unused', 'join', 'service-audit']
const BEACON = 'ab'.repeat(32)
/** No development chain. */
const ANY_CHAIN = 8453
const LIMIT = 40
const DOMAIN = 4242n
const X = 7n
const SECRET = 901n

type Zk = {
  readonly createZkEngine: () => ZkEngine
  readonly assertSetUpServes: typeof assertSetUpServes
}
type Artifacts = { readonly slotProofAuthoriserArtifact: typeof slotProofAuthoriserArtifact }

describe('a ceremony on the real slot program', { skip }, () => {
  let project: ProjectCopy
  const at = (name: string): string => project.at(`keys/${name}`)
  const run = (script: string, ...args: readonly string[]): string => {
    const { status, stdout, stderr } = project.run(script, ...args)
    assert.equal(status, 0, `${args.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }
  const ceremony = (...args: readonly string[]): string => run(TOOL, ...args)

  before(() => {
    project = copyProject(false)
    mkdirSync(project.at('keys'))
    for (const name of OTHERS)
      writeFileSync(project.at(`zk-programs/src/${name}.circom`), SMALL_PROGRAM)
  })
  after(() => project[Symbol.dispose]())

  /** Of 2^13, for which the program is just small enough. */
  function powersOfTau(): string {
    const named = process.env['POWERS']
    if (named !== undefined) return named
    const snarkjs = (...args: readonly string[]): string =>
      run('node_modules/snarkjs/build/cli.cjs', 'powersoftau', ...args)
    snarkjs('new', 'bn128', '13', at('tau.0'))
    snarkjs('contribute', at('tau.0'), at('tau.1'), '--name=a', '-e=any text')
    snarkjs('prepare', 'phase2', at('tau.1'), at('tau'))
    return at('tau')
  }

  /** By two people and a beacon. Gives the finished key. */
  function hold(program: string, powers: string): string {
    const folder = at(program)
    ceremony('begin', program, powers, folder)
    ceremony('contribute', `${folder}/${program}.0.zkey`, `${folder}/1.zkey`, 'first')
    ceremony('contribute', `${folder}/1.zkey`, `${folder}/2.zkey`, 'second')
    ceremony('finalise', `${folder}/2.zkey`, `${folder}/final.zkey`, BEACON)
    const r1cs = `${folder}/${program}.r1cs`
    assert.match(ceremony('verify', r1cs, powers, `${folder}/final.zkey`), /is sound/)
    return `${folder}/final.zkey`
  }

  it('gives a key that guards a chain which refuses the development one', async () => {
    const powers = powersOfTau()
    const [slot, small] = [hold('slot', powers), hold('join', powers)]
    assert.match(ceremony('install', 'slot', powers, slot), /still development keys/)
    const copy = (await import(project.at('packages/zk/src/index.ts'))) as Zk
    // One key of four guards nothing: the others are forged under.
    await assert.rejects(copy.assertSetUpServes(ANY_CHAIN), { code: 'ZK_DEVELOPMENT_SET_UP' })
    const rest = OTHERS.flatMap((name) => [name, powers, small])
    assert.match(ceremony('install', ...rest), /contracts with them deploy on any chain/)
    await copy.assertSetUpServes(ANY_CHAIN)
    await assert.rejects(assertSetUpServes(ANY_CHAIN), { code: 'ZK_DEVELOPMENT_SET_UP' })
    const pinned = readFileSync(project.at('packages/zk/artefacts/slot.zkey'))
    assert.deepEqual(pinned, readFileSync(slot))

    const { ours, forgeable } = await provedUnderBoth(copy)
    const artifacts = (await import(
      project.at('packages/chain/src/artifacts/slot-proof-authoriser.ts')
    )) as Artifacts
    const [root = 0n, nullifier = 0n] = ours.signals
    const judged = await judgedOnChain(artifacts.slotProofAuthoriserArtifact, [
      [root, nullifier, DOMAIN, X, bytesToHex(ours.proof)],
      [root, nullifier, DOMAIN, X, bytesToHex(forgeable.proof)],
      [root, nullifier, DOMAIN, X + 1n, bytesToHex(ours.proof)],
    ])
    assert.deepEqual(judged, [true, false, false])
  })
})

/** A proof of each key, which holds under that one alone. */
async function provedUnderBoth(
  copy: Pick<Zk, 'createZkEngine'>,
): Promise<{ readonly ours: Proved; readonly forgeable: Proved }> {
  using installed = copy.createZkEngine()
  using development = createZkEngine()
  const input = slotInput(witness())
  const ours = await installed.prove('slot', input)
  const forgeable = await development.prove('slot', input)
  assert.deepEqual(ours.signals, forgeable.signals)
  assert.equal(await installed.verify('slot', ours.signals, ours.proof), true)
  assert.equal(await development.verify('slot', ours.signals, ours.proof), false)
  assert.equal(await installed.verify('slot', forgeable.signals, forgeable.proof), false)
  return { ours, forgeable }
}

function witness(): SlotWitness {
  const { winValue, winsPerSlot, bond } = PROFILE
  const tag = profileTag(winValue, winsPerSlot, bond)
  const unitsPerSlot = BigInt(UNITS_PER_SLOT)
  const tree = new LeanIMT((left: bigint, right: bigint) => poseidon2([left, right]))
  for (const secret of [SECRET - 1n, SECRET, SECRET + 1n])
    tree.insert(poseidon3([poseidon1([secret]), BigInt(LIMIT), tag]))
  const { siblings, index } = tree.generateProof(1)
  const path = siblings.map((sibling, i) => ({ sibling, isLeft: ((index >> i) & 1) === 1 }))
  return { domain: DOMAIN, x: X, tag, unitsPerSlot, secret: SECRET, limit: LIMIT, j: 3, path }
}

/** What the contract says to each, on a chain where one with the repository's keys does not deploy. */
async function judgedOnChain(
  artifact: typeof slotProofAuthoriserArtifact,
  all: readonly (readonly [bigint, bigint, bigint, bigint, Hex])[],
): Promise<readonly unknown[]> {
  await using rpc = await startRpc()
  await rpc.request('anvil_setChainId', ANY_CHAIN)
  const { winValue, winsPerSlot, bond, unit } = PROFILE
  const profile = [winValue, winsPerSlot, bond, unit]
  await assert.rejects(rpc.deploy(DEPLOYER, slotProofAuthoriserArtifact, profile), {
    reason: 'DevelopmentSetUp',
  })
  const to = await rpc.deploy(DEPLOYER, artifact, profile)
  const said: unknown[] = []
  for (const args of all)
    said.push(await rpc.read({ abi: artifact.abi, to, name: 'verify', args: [...args] }))
  return said
}
