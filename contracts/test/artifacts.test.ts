import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  bywayPoolArtifact,
  bywayRegistryArtifact,
  bywayTokenArtifact,
  linkArtifact,
  PROOF_CONTRACTS,
  serviceAuditorArtifact,
  serviceProofsArtifact,
  slotProofAuthoriserArtifact,
} from '@byway/chain'
import { unsafePlainAuthoriserArtifact } from './artifacts/unsafe-plain-authoriser.ts'
import { findStale, renderAll } from '../tools/artifacts.ts'
import { compileAll, ROOT } from '../tools/solc.ts'

/** EIP-170. */
const MOST_BYTES = 24_576

test('the committed artefacts are those of the present sources', () => {
  assert.deepEqual(findStale(), [])
})

test('the compiler makes the committed artefacts again, to the byte', (t) => {
  if (!process.env['SLOW'] && !process.env['CI']) return t.skip('15 s: with SLOW=1 and in CI')
  const contracts = compileAll()
  for (const [path, text] of renderAll(contracts))
    assert.equal(readFileSync(ROOT + path, 'utf8'), text, path)
  for (const { name, deployedBytes } of contracts)
    assert.ok(deployedBytes <= MOST_BYTES, `${name} has ${deployedBytes} bytes`)
})

test('a contract is deployed only with an address for every library', () => {
  const pool = bywayPoolArtifact
  const address = `0x${'Ab'.repeat(20)}`
  const linked = linkArtifact(pool, { PoseidonT3: address, PoseidonT4: address })
  assert.equal(linked.length, pool.bytecode.length)
  const places = Object.values(pool.links).flat()
  assert.equal(linked.split('ab'.repeat(20)).length - 1, places.length)
  for (const wrong of [{}, { PoseidonT3: address }, { PoseidonT3: address, PoseidonT4: '0x12' }])
    assert.throws(() => linkArtifact(pool, wrong), RangeError)
})

test('every error that our contracts declare is one with which a call was refused in a test', () => {
  const tests = globSync('contracts/test/*.test.ts', { cwd: ROOT })
  // Each of them fails where a call was not refused with all that its list says.
  const provoked = new Set(tests.flatMap((file) => provokedIn(readFileSync(ROOT + file, 'utf8'))))
  const entries = [bywayPoolArtifact, bywayRegistryArtifact, bywayTokenArtifact]
    .flatMap(({ abi }): readonly { readonly type: string; readonly name?: string }[] => abi)
    .concat(slotProofAuthoriserArtifact.abi, unsafePlainAuthoriserArtifact.abi)
    .concat(serviceProofsArtifact.abi, serviceAuditorArtifact.abi)
  const errors = entries.flatMap(({ type, name = '' }) => (type === 'error' ? [name] : []))
  const own = new Set(errors.filter((name) => !/^(Safe)?ERC20/.test(name)))
  assert.ok(own.size > 40)
  assert.deepEqual(
    [...own].filter((name) => !provoked.has(name)),
    [],
  )
})

/** Of a call that begins a line: neither a comment nor a text does. */
function provokedIn(text: string): readonly string[] {
  const [, list = ''] = /^provokes\(([^)]*)\)$/m.exec(text) ?? []
  return Array.from(list.matchAll(/'(\w+)'/g), ([, name = '']) => name)
}

test('the set-up that deployments go by is the one that the keys were made of', () => {
  const text = readFileSync(join(ROOT, 'packages/zk/artefacts/manifest.json'), 'utf8')
  assert.equal((JSON.parse(text) as { setUp: string }).setUp, PROOF_CONTRACTS.setUp)
})
