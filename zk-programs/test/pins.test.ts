/** The committed artefacts are those of the sources, by fingerprints; a change anywhere is found. constraints.test.ts compiles the slot program and compares bytes. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { PROGRAMS } from '../tools/build.ts'
import { findStaleArtefacts } from '../tools/pins.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'byway-pins-'))
const JOIN = PROGRAMS.filter(({ name }) => name === 'join')

/** What is found while one text of a file is another. */
async function findWith(file: string, text: string, by: string): Promise<readonly string[]> {
  const path = join(copy, file)
  const whole = readFileSync(path)
  const changed = whole.toString('latin1').replace(text, by)
  assert.notEqual(changed, whole.toString('latin1'))
  try {
    writeFileSync(path, changed, 'latin1')
    return await findStaleArtefacts(copy, JOIN)
  } finally {
    writeFileSync(path, whole)
  }
}

describe('the committed artefacts', () => {
  before(() => {
    for (const place of ['zk-programs', 'packages/zk/artefacts', 'contracts/src/lib'])
      cpSync(join(root, place), join(copy, place), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  })
  after(() => rmSync(copy, { recursive: true }))

  it('fit their sources, the manifest, each other and the contracts', async () => {
    assert.deepEqual(await findStaleArtefacts(root, PROGRAMS), [])
    assert.deepEqual(await findStaleArtefacts(copy, JOIN), [])
  })

  it('are stale when a program or what it includes has changed', async () => {
    const stale = ['join: its sources have changed since its key was made']
    assert.deepEqual(
      await findWith('zk-programs/src/join.circom', 'isUsed * (isUsed - 1) === 0;', ''),
      stale,
    )
    assert.deepEqual(await findWith('zk-programs/lib/lean-imt.circom', 'i > 0', 'i > 1'), stale)
    assert.deepEqual(await findWith('zk-programs/src/slot.circom', 'fits === 1;', ''), [])
  })

  it('are found out when a file, or the contracts’ key, is another', async () => {
    const found = await findWith('contracts/src/lib/JoinKey.sol', 'hex"', 'hex"0')
    assert.deepEqual(found, ['JoinKey.sol is not the verification key of join'])
    const key = await findWith('packages/zk/artefacts/join.vk.json', '"nPublic": 9', '"nPublic": 8')
    assert.deepEqual(key, [
      'join.vk.json is not the one that the manifest pins',
      "join: the verification key is not the proving key's",
    ])
  })
})
