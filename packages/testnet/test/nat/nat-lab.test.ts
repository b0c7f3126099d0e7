import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { untilGone } from '../../../home/test/processes.ts'
import { missingForGateways, missingForNat } from '../../src/nat/nat-lab.ts'
import { createNamespaces } from '../../src/nat/namespaces.ts'

const missing = missingForNat() ?? missingForGateways()
const module = new URL('../../src/nat/nat-lab.ts', import.meta.url).href
const OWNER = `import { createNatLab } from ${JSON.stringify(module)}
  const lab = createNatLab()
  await lab.addHome('home', 'upnp')
  console.log('ready')
  setInterval(() => {}, 1000)`

test(
  "what a killed process left, a router's daemon too, is removed by the next",
  {
    skip: missing ?? false,
  },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'byway-lab-'))
    t.after(() => rm(folder, { recursive: true }))
    const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', OWNER], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: folder },
    })
    await once(owner.stdout, 'data')
    const own = (): string[] =>
      readdirSync('/run/netns').filter((name) => name.startsWith(`byway-${owner.pid}-`))
    const inside = own().flatMap((name) => pidsIn(name))
    assert.deepEqual([own().length, inside.length], [3, 1])
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    createNamespaces().close()
    assert.deepEqual(own(), [])
    for (const pid of inside) await untilGone(pid)
  },
)

function pidsIn(name: string): number[] {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}
