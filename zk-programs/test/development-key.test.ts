/**
 * Keys made straight of known secrets do what keys made by a ceremony do: snarkjs' own command line proves and verifies with them. `SLOW=1` shows it for the slot program as well.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { slotInput } from '../../packages/zk/src/slot.ts'
import { compile } from '../tools/build.ts'
import { writeDevelopmentKey } from '../tools/development-key.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const path = [{ sibling: 11n, isLeft: true }]
const slot = { secret: 5n, limit: 40, j: 3, domain: 42n, x: 777n, tag: 7001n, unitsPerSlot: 5n }
const PROGRAMS = [
  {
    name: 'product',
    place: 'zk-programs/test/programs',
    input: { a: 6n, b: 7n },
    shown: ['42'],
    skip: false,
  },
  {
    name: 'slot',
    place: 'zk-programs/src',
    input: slotInput({ ...slot, path }),
    shown: undefined,
    skip: process.env['SLOW'] !== '1' && 'half a minute: with SLOW=1',
  },
]

for (const { name, place, input, shown, skip } of PROGRAMS)
  describe(`the development key of the ${name} program`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'byway-key-'))
    const at = (file: string): string => join(folder, file)
    const snarkjs = (...args: readonly string[]): number | null =>
      spawnSync(process.execPath, [join(root, 'node_modules/snarkjs/build/cli.cjs'), ...args])
        .status
    const prove = (key: string): number | null =>
      snarkjs(
        'g16f',
        at('input.json'),
        at(`${name}_js/${name}.wasm`),
        key,
        at('proof'),
        at('shown'),
      )
    before(async () => {
      compile(name, folder, place)
      await writeDevelopmentKey(at(`${name}.r1cs`), at('key'), () => {})
      const text = JSON.stringify(input, (_, value: unknown) =>
        typeof value === 'bigint' ? value.toString() : value,
      )
      writeFileSync(at('input.json'), text)
      assert.equal(snarkjs('zkev', at('key'), at('vk.json')), 0)
    })
    after(() => rmSync(folder, { recursive: true }))

    it('makes proofs that its verification key takes, for what was proved only', () => {
      assert.equal(prove(at('key')), 0)
      const signals = JSON.parse(readFileSync(at('shown'), 'utf8')) as string[]
      if (shown) assert.deepEqual(signals, shown)
      assert.equal(snarkjs('g16v', at('vk.json'), at('shown'), at('proof')), 0)
      writeFileSync(at('shown'), JSON.stringify(['43', ...signals.slice(1)]))
      assert.notEqual(snarkjs('g16v', at('vk.json'), at('shown'), at('proof')), 0)
    })

    it('is the same each time', async () => {
      await writeDevelopmentKey(at(`${name}.r1cs`), at('again'), () => {})
      assert.deepEqual(readFileSync(at('again')), readFileSync(at('key')))
    })
  })
