/**
 * Power loss (SECURITY R22): the store works on a file system in an image; the image is copied while it works, with what the system had not yet given to the disk left out, and the copy is
 * mounted and opened. With `synchronous=NORMAL` this test fails.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { copyFile, mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { openAt, temporaryFolder, winner } from './support/records.ts'

const CHILD = fileURLToPath(new URL('support/store-child.ts', import.meta.url))
const CUTS = process.env['SLOW'] === '1' ? 100 : 4
const IMAGE_BYTES = 48 * 1024 * 1024

function run(command: string, ...rest: readonly string[]): boolean {
  return spawnSync(command, rest, { stdio: 'ignore' }).status === 0
}

/** A mounted image; unmounted at the end. */
async function mounted(image: string, place: string): Promise<Disposable | undefined> {
  await mkdir(place, { recursive: true })
  if (!run('mount', '-o', 'loop', image, place)) return undefined
  return { [Symbol.dispose]: () => void run('umount', place) }
}

test('a power cut loses nothing that was acknowledged', async (t) => {
  await using folder = await temporaryFolder()
  const image = join(folder.path, 'disk.img')
  await writeFile(image, '')
  await truncate(image, IMAGE_BYTES)
  if (!run('mkfs.ext4', '-q', image)) return t.skip('needs mkfs.ext4')
  using disk = await mounted(image, join(folder.path, 'disk'))
  if (!disk) return t.skip('images cannot be mounted here')
  const home = join(folder.path, 'disk', 'home')
  const options = ['--conditions=byway:source', CHILD, home, '100000']
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  let cuts = 0
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const acknowledged = /^\d+$/.test(line) ? Number(line) + 1 : 0
      if (acknowledged < (cuts + 1) * 15) continue
      child.kill('SIGSTOP')
      await checkCut(folder.path, image, cuts, acknowledged)
      child.kill('SIGCONT')
      if (++cuts === CUTS) break
    }
  } finally {
    child.kill('SIGKILL')
    await ended
  }
  assert.equal(cuts, CUTS)
})

async function checkCut(
  folder: string,
  image: string,
  cut: number,
  acknowledged: number,
): Promise<void> {
  const copy = join(folder, `cut-${cut}.img`)
  await copyFile(image, copy)
  using disk = await mounted(copy, join(folder, `cut-${cut}`))
  assert.ok(disk)
  await using store = await openAt(join(folder, `cut-${cut}`, 'home'))
  const { damagedRows, missingRows, isTailLost } = store.report
  assert.deepEqual([damagedRows, missingRows, isTailLost], [0, 0, false])
  const found = await store.winners.list(['received'])
  assert.ok(found.length >= acknowledged, `${found.length} of ${acknowledged}`)
  found.forEach(({ index, reveal }, at) => {
    assert.equal(index, at)
    assert.deepEqual(reveal, winner(at).reveal)
  })
}
