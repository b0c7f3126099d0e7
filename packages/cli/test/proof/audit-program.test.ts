/** The large files of the audit's program are made once for a machine, by whoever needs them first. What makes them here writes files of the right lengths. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createAuditProgram, type AuditProgram } from '../../src/proof/audit-program.ts'
import { temporaryHome } from '../spawn-byway.ts'

const MANIFEST = fileURLToPath(new URL('../../../zk/artefacts/manifest.json', import.meta.url))

/** Notes that it ran, works for a moment, and leaves the files where provers look. */
const MAKER = `
import { appendFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
const [, , manifest, notes, how] = process.argv
appendFileSync(notes, process.env.TMPDIR + '\\n')
process.stderr.write('compiling\\n')
if (how === 'hangs') setInterval(() => {}, 1000)
if (how === 'fails') process.exit(1)
if (how === 'works') {
  const folder = process.env.XDG_CACHE_HOME + '/byway/zk'
  mkdirSync(folder, { recursive: true })
  for (const [name, { sha256, bytes, isOnDemand }] of Object.entries(JSON.parse(readFileSync(manifest)).files)) {
    if (!isOnDemand) continue
    writeFileSync(folder + '/' + sha256.slice(0, 16) + '-' + name, '')
    truncateSync(folder + '/' + sha256.slice(0, 16) + '-' + name, bytes)
  }
  process.stderr.write('done\\n')
}
`

type Machine = {
  /** A node of this machine. */
  node(how: 'works' | 'fails' | 'hangs', chainId?: number): AuditProgram
  readonly steps: readonly number[]
  readonly told: readonly boolean[]
  /** The folders that makers worked in, one a run. */
  runs(): Promise<readonly string[]>
}

/** An empty cache of its own. */
async function machineOf(t: TestContext): Promise<Machine> {
  const home = await temporaryHome(t)
  const before = process.env['XDG_CACHE_HOME']
  process.env['XDG_CACHE_HOME'] = home
  t.after(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME']
    else process.env['XDG_CACHE_HOME'] = before
  })
  const [script, notes] = [join(home, 'maker.mjs'), join(home, 'notes')]
  await writeFile(script, MAKER)
  await writeFile(notes, '')
  const steps: number[] = []
  const told: boolean[] = []
  return {
    steps,
    told,
    node: (how, chainId = 31_337) =>
      createAuditProgram({
        chainId,
        onStep: (step) => steps.push(step),
        onMaking: (isMaking) => told.push(isMaking),
        maker: [script, MANIFEST, notes, how],
      }),
    runs: async () => (await readFile(notes, 'utf8')).split('\n').filter(Boolean),
  }
}

test('six nodes of a machine have it made once, with progress, and nothing half done is left', async (t) => {
  const machine = await machineOf(t)
  const nodes = Array.from({ length: 6 }, () => machine.node('works'))
  await Promise.all(nodes.map((node) => node.ensure(t.signal)))
  const runs = await machine.runs()
  assert.equal(runs.length, 1)
  assert.deepEqual(machine.steps, [1, 2])
  assert.equal(machine.told.filter((isMaking) => !isMaking).length, 6, 'nobody waits any more')
  const cache = join(process.env['XDG_CACHE_HOME'] ?? '', 'byway', 'zk')
  const left = (await readdir(cache)).filter((name) => name.startsWith('making-'))
  assert.deepEqual(left, [])
  await machine.node('fails').ensure(t.signal)
  assert.equal((await machine.runs()).length, 1, 'what is there is not made again')
})

test('what could not be made is said to be missing, and tried again when asked again', async (t) => {
  const machine = await machineOf(t)
  await assert.rejects(machine.node('fails').ensure(t.signal), { code: 'ZK_NOT_MADE' })
  await assert.rejects(machine.node('fails').ensure(t.signal), { code: 'ZK_NOT_MADE' })
  assert.equal((await machine.runs()).length, 2)
  assert.deepEqual(machine.told, [true, false, true, false])
})

test('a cache that cannot be written costs the proof and not the node', async (t) => {
  const machine = await machineOf(t)
  const file = join(process.env['XDG_CACHE_HOME'] ?? '', 'file')
  await writeFile(file, '')
  process.env['XDG_CACHE_HOME'] = file
  await assert.rejects(machine.node('works').ensure(t.signal), { code: 'ZK_NOT_MADE' })
  assert.deepEqual(machine.told, [true, false])
  assert.deepEqual(await machine.runs(), [])
})

test('what a killed node left lying is swept by the next', async (t) => {
  const machine = await machineOf(t)
  const cache = join(process.env['XDG_CACHE_HOME'] ?? '', 'byway', 'zk')
  await mkdir(join(cache, 'making-before'), { recursive: true })
  await machine.node('works').ensure(t.signal)
  assert.ok(!(await readdir(cache)).some((name) => name.startsWith('making-')))
})

test('a node that stops ends the work, and another can begin at once', async (t) => {
  const machine = await machineOf(t)
  const stop = new AbortController()
  const begun = machine.node('hangs').ensure(stop.signal)
  begun.catch(() => {})
  while (machine.steps.length === 0) await new Promise(setImmediate)
  stop.abort(new Error('stopped'))
  await assert.rejects(begun, /stopped/)
  await machine.node('works').ensure(t.signal)
  assert.equal((await machine.runs()).length, 2)
})

test('on any other chain than the local one nothing is made: a ceremony’s files are brought', async (t) => {
  const machine = await machineOf(t)
  await assert.rejects(machine.node('works', 1).ensure(t.signal), { code: 'ZK_NOT_MADE' })
  assert.deepEqual(await machine.runs(), [])
})
