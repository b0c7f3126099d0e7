/**
 * Power loss (SECURITY R22): the store works on a file system in an image; the image is copied while it works, with what the system had not yet given to the disk left out, and the copy is
 * mounted and opened. With `synchronous=NORMAL` this test fails.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeImage, mountImage } from './support/image.ts'
import { openAt, temporaryFolder, winner } from './support/records.ts'
import { skipWithout, unavailable } from './support/tools.ts'

const CHILD = fileURLToPath(new URL('support/store-child.ts', import.meta.url))
const CUTS = process.env['SLOW'] === '1' ? 100 : 4
const IMAGE_BYTES = 48 * 1024 * 1024

const noImages = skipWithout('mkfs.ext4')

test('a power cut loses nothing that was acknowledged', { skip: noImages }, async (t) => {
  await using folder = await temporaryFolder()
  const image = join(folder.path, 'disk.img')
  assert.ok(await makeImage(image, IMAGE_BYTES))
  using disk = await mountImage(image, join(folder.path, 'disk'))
  if (!disk) return t.skip(unavailable('images cannot be mounted here'))
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
  using disk = await mountImage(copy, join(folder, `cut-${cut}`))
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
