/**
 * Finished keys become those of the project (docs/CEREMONY.md), by the command that people type, in a copy of the project whose programs are small. One ceremony serves all four there.
 */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import type {
  assertDeployable,
  ProofContracts,
} from '../../packages/chain/src/deploy/proof-contracts.ts'
import type { assertSetUpServes } from '../../packages/zk/src/artefacts.ts'
import { PROGRAMS } from '../tools/build.ts'
import { findStaleArtefacts, type Manifest } from '../tools/pins.ts'
import { copyProject, type ProjectCopy, type Ran } from './kit/project-copy.ts'
import { SMALL_PROGRAM } from './kit/small-program.ts'

const TOOL = 'zk-programs/tools/ceremony.ts'
const BEACON = 'ab'.repeat(32)
const ANY_CHAIN = 8453

const OTHER = SMALL_PROGRAM.replace('a[0] * b', 'a[1] * b')

let project: ProjectCopy
const at = (name: string): string => project.at(`keys/${name}`)

function succeed({ status, stdout, stderr }: Ran): string {
  assert.equal(status, 0, stderr)
  return stdout
}

const ceremony = (...args: readonly string[]): Ran => project.run(TOOL, ...args)
const install = (...args: readonly string[]): Ran => ceremony('install', ...args)

function writeProgram(name: string, text = SMALL_PROGRAM): void {
  writeFileSync(project.at(`zk-programs/src/${name}.circom`), text)
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(project.at('packages/zk/artefacts/manifest.json'), 'utf8'))
}

/** Of the whole, over 2^4 powers, with one contributor. */
function makePowersOfTau(): void {
  const snarkjs = (...args: readonly string[]) =>
    succeed(project.run('node_modules/snarkjs/build/cli.cjs', 'powersoftau', ...args))
  snarkjs('new', 'bn128', '4', at('tau.0'))
  snarkjs('contribute', at('tau.0'), at('tau.1'), '--name=a', '-e=any text')
  snarkjs('prepare', 'phase2', at('tau.1'), at('tau'))
}

/** What became of a step. */
type Told = { readonly said?: string; readonly refused?: string }

/** Many steps of ceremonies, in one process: to start one takes longer than a small step. */
function steps(...all: readonly (readonly string[])[]): readonly Told[] {
  return JSON.parse(succeed(project.run('keys/steps.ts', JSON.stringify(all)))) as readonly Told[]
}

/** The steps' driver, and powers whose secrets stand in the repository. */
function writeDriver(): void {
  const from = (tool: string): string => JSON.stringify(project.at(`zk-programs/tools/${tool}.ts`))
  const text = `import { ceremony } from ${from('ceremony')}
import { writeDevelopmentTau } from ${from('development-tau')}
const told = []
for (const [verb, ...args] of JSON.parse(process.argv[2]))
  told.push(
    await (verb === 'known' ? writeDevelopmentTau(args[0], 4) : ceremony(verb, args)).then(
      (said) => ({ said }),
      ({ message }) => ({ refused: message }),
    ),
  )
process.stdout.write(JSON.stringify(told))
process.exit(0)
`
  writeFileSync(project.at('keys/steps.ts'), text)
}

/** Asks for these installations; each is refused in such words, and nothing has changed. */
function areRefused(...all: readonly (readonly [args: readonly string[], why: RegExp])[]): void {
  const was = project.hashes()
  const told = steps(...all.map(([args]) => ['install', ...args]))
  for (const [place, [args, why]] of all.entries())
    assert.match(told[place]?.refused ?? '', why, args.join(' '))
  assert.deepEqual(project.hashes(), was)
}

before(() => {
  project = copyProject()
  mkdirSync(project.at('keys'))
  for (const { name } of PROGRAMS) writeProgram(name)
  makePowersOfTau()
  writeDriver()
  const made = steps(
    ['begin', 'slot', at('tau'), project.at('keys')],
    ['contribute', at('slot.0.zkey'), at('1.zkey'), 'first'],
    ['contribute', at('1.zkey'), at('2.zkey'), 'second'],
    ['finalise', at('2.zkey'), at('final.zkey'), BEACON],
    ['finalise', at('slot.0.zkey'), at('alone.zkey'), BEACON],
    ['contribute', at('final.zkey'), at('after.zkey'), 'third'],
    ['finalise', at('after.zkey'), at('twice.zkey'), BEACON],
    ['known', at('known')],
    ['begin', 'slot', at('known'), project.at('keys/known-keys')],
    ['contribute', at('known-keys/slot.0.zkey'), at('known.1'), 'first'],
    ['finalise', at('known.1'), at('known.zkey'), BEACON],
  )
  assert.deepEqual(
    made.filter(({ refused }) => refused !== undefined),
    [],
  )
})
after(() => project[Symbol.dispose]())

describe('a key that is not good', () => {
  const slot = (powers: string, key: string): readonly string[] => ['slot', at(powers), at(key)]

  it('is refused before a beacon ended its ceremony, or where nobody contributed', () => {
    areRefused(
      [slot('tau', 'slot.0.zkey'), /not finalised/],
      [slot('tau', '2.zkey'), /not finalised/],
      [slot('tau', 'alone.zkey'), /nobody contributed/],
      [slot('tau', 'twice.zkey'), /not finalised/],
    )
  })

  it('is refused where it comes of another program or of other powers', () => {
    writeProgram('slot', OTHER)
    areRefused([slot('tau', 'final.zkey'), /does not come of slot/])
    writeProgram('slot')
    areRefused(
      [slot('tau.1', 'final.zkey'), /does not come of slot/],
      [slot('known', 'known.zkey'), /everybody knows/],
      [slot('tau', 'known.zkey'), /everybody knows/],
    )
  })

  it('is refused half-written, changed, or when it is none', () => {
    const bytes = readFileSync(at('final.zkey'))
    for (const part of [0.3, 0.9]) {
      copyFileSync(at('final.zkey'), at(`${part}.zkey`))
      truncateSync(at(`${part}.zkey`), Math.floor(bytes.length * part))
    }
    const change = Math.floor(bytes.length / 2)
    bytes.writeUInt8(bytes.readUInt8(change) ^ 1, change)
    writeFileSync(at('changed.zkey'), bytes)
    writeFileSync(at('none.zkey'), 'no key')
    areRefused(
      [slot('tau', '0.3.zkey'), /no key, or a part of one/],
      [slot('tau', '0.9.zkey'), /no key, or a part of one/],
      [slot('tau', 'changed.zkey'), /does not come of slot|INVALID/],
      [slot('tau', 'none.zkey'), /no key/],
      [slot('tau', 'missing.zkey'), /./],
    )
  })

  it('is installed together with all that were named, or none of them', () => {
    const good = slot('tau', 'final.zkey')
    areRefused(
      [[...good, 'join', at('tau'), at('2.zkey')], /not finalised/],
      [[...good, ...good], /each program once/],
      [['slot', at('tau')], /NAME POWERS.ptau KEY.zkey/],
      [['dance', at('tau'), at('final.zkey')], /one of slot/],
    )
    const { status, stderr } = install()
    assert.equal(status, 1)
    assert.match(stderr, /each program once/)
  })
})

describe('a finished key', () => {
  it('becomes the program’s, while other programs keep theirs, and the way back is one command', async () => {
    const was = project.hashes()
    const said = succeed(install('slot', at('tau'), at('final.zkey')))
    const now = project.hashes()
    const changed = Object.keys(now).filter((file) => now[file] !== was[file])
    for (const file of changed) assert.ok(said.includes(`  ${file}  `), file)
    for (const word of ['first', 'second', BEACON, 'withdraw-unused, join, service-audit'])
      assert.ok(said.includes(word), word)
    const { setUp, ceremonies = {} } = manifest()
    assert.equal(setUp, 'development')
    assert.deepEqual(Object.keys(ceremonies), ['slot'])
    assert.deepEqual(ceremonies['slot']?.contributors, ['first', 'second'])
    const slot = PROGRAMS.filter(({ name }) => name === 'slot')
    assert.deepEqual(await findStaleArtefacts(project.at(''), slot), [])
    succeed(project.run('contracts/tools/compile.ts', '--check'))

    succeed(ceremony('revert'))
    assert.deepEqual(project.hashes(), was)
    succeed(ceremony('revert'))
    assert.deepEqual(project.hashes(), now)
    succeed(ceremony('revert'))
  })

  it('guards real money once every program has one', async () => {
    const was = manifest()
    const all = PROGRAMS.flatMap(({ name }) => [name, at('tau'), at('final.zkey')])
    assert.match(succeed(install(...all)), /deploy on any chain/)
    assert.equal(manifest().setUp, 'ceremony')
    succeed(project.run('zk-programs/tools/build.ts', '--check'))
    succeed(project.run('contracts/tools/compile.ts', '--check'))
    const contracts = (await import(
      project.at('packages/chain/src/deploy/proof-contracts.ts')
    )) as {
      readonly PROOF_CONTRACTS: ProofContracts
      readonly assertDeployable: typeof assertDeployable
    }
    contracts.assertDeployable(contracts.PROOF_CONTRACTS, ANY_CHAIN, new Uint8Array(20))
    const artefacts = (await import(project.at('packages/zk/src/artefacts.ts'))) as {
      readonly assertSetUpServes: typeof assertSetUpServes
    }
    await artefacts.assertSetUpServes(ANY_CHAIN)
    assert.notDeepEqual(manifest().files, was.files)
  })

  it('is not replaced by a development key unless that is asked for', () => {
    const was = project.hashes()
    for (const args of [[], ['slot'], ['--check', 'slot']]) {
      const { status, stderr } = project.run('zk-programs/tools/build.ts', ...args)
      assert.equal(status, 1)
      assert.match(stderr, /the key of slot is a ceremony's/)
    }
    assert.deepEqual(project.hashes(), was)
  })

  it('is brought to another machine by its pin where it is too large for the repository', () => {
    rmSync(project.at('cache'), { recursive: true })
    const kept = succeed(ceremony('keep', 'service-audit', at('final.zkey')))
    assert.equal(kept.trim().split('\n').length, 2)
    for (const path of kept.trim().split('\n')) assert.ok(readFileSync(path).length > 0, path)
    assert.deepEqual(readFileSync(kept.trim().split('\n')[1] ?? ''), readFileSync(at('final.zkey')))
    const other = ceremony('keep', 'service-audit', at('2.zkey'))
    assert.match(other.stderr, /is not the service-audit.zkey that the manifest pins/)
  })
})
