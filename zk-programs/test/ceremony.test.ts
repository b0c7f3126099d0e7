/** A whole phase 2 with two contributors on the smallest program (docs/CEREMONY.md), by the commands that people type. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'byway-ceremony-'))
const at = (name: string): string => join(folder, name)
const BEACON = 'ab'.repeat(32)

function run(script: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

function succeed(script: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = run(script, ...args)
  assert.equal(status, 0, stderr)
  return stdout
}

const ceremony = (...args: readonly string[]) => run('zk-programs/tools/ceremony.ts', ...args)
const verify = (key: string) => ceremony('verify', at('product.r1cs'), at('tau'), at(key))

/** Of the whole, over 2^4 powers, with one contributor. */
function makePowersOfTau(): void {
  const snarkjs = 'node_modules/snarkjs/build/cli.cjs'
  succeed(snarkjs, 'powersoftau', 'new', 'bn128', '4', at('tau.0'))
  succeed(snarkjs, 'powersoftau', 'contribute', at('tau.0'), at('tau.1'), '--name=a', '-e=any text')
  succeed(snarkjs, 'powersoftau', 'prepare', 'phase2', at('tau.1'), at('tau'))
}

describe('a ceremony of two contributors', () => {
  before(() => {
    makePowersOfTau()
    const tool = 'zk-programs/tools/ceremony.ts'
    succeed(tool, 'begin', 'product', at('tau'), folder, 'zk-programs/test/programs')
    succeed(tool, 'contribute', at('product.0.zkey'), at('1.zkey'), 'first')
    succeed(tool, 'contribute', at('1.zkey'), at('2.zkey'), 'second')
    succeed(tool, 'finalise', at('2.zkey'), at('final.zkey'), BEACON)
  })
  after(() => rmSync(folder, { recursive: true }))

  it('makes a key that anybody can trace back to the program', () => {
    for (const key of ['1.zkey', '2.zkey', 'final.zkey']) {
      const { status, stdout, stderr } = verify(key)
      assert.equal(status, 0, stderr)
      assert.match(stdout, /is sound: [0-9a-f]{64}\n$/)
    }
  })

  it('draws a new secret for each contribution', () => {
    const again = ceremony('contribute', at('product.0.zkey'), at('1b.zkey'), 'first')
    assert.equal(again.status, 0, again.stderr)
    assert.notDeepEqual(readFileSync(at('1b.zkey')), readFileSync(at('1.zkey')))
  })

  it('refuses a key of another chain of contributions, a changed one, and what is none', () => {
    const bytes = readFileSync(at('final.zkey'))
    const change = Math.floor(bytes.length / 2)
    bytes.writeUInt8(bytes.readUInt8(change) ^ 1, change)
    writeFileSync(at('changed.zkey'), bytes)
    writeFileSync(at('none.zkey'), 'no key')
    for (const key of ['changed.zkey', 'none.zkey', 'missing.zkey']) {
      const { status, stdout, stderr } = verify(key)
      assert.equal(status, 1, key)
      assert.equal(stdout, '')
      assert.match(stderr, /does not come of this program/)
    }
  })

  it('refuses names and beacons of no use', () => {
    const bad = [
      ['contribute', at('1.zkey'), at('x.zkey'), ''],
      ['finalise', at('1.zkey'), at('x.zkey'), 'ab'],
      ['finalise', at('1.zkey'), at('x.zkey'), 'XY'.repeat(32)],
      ['dance'],
    ]
    for (const args of bad) assert.equal(ceremony(...args).status, 1, args.join(' '))
  })
})
