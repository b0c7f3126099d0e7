import assert from 'node:assert/strict'
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openHome, readPrivateFile, removePrivateFile, writePrivateFile } from '@byway/home'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'byway-home-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}

test('makes the state folder for its owner only, with the folders above it', async (t) => {
  const home = join(await folder(t), 'a', 'b')
  await openHome(home)
  assert.equal(await modeOf(home), 0o700)
})

test('closes an own folder that others could list', async (t) => {
  const home = await folder(t)
  await chmod(home, 0o755)
  await openHome(home)
  assert.equal(await modeOf(home), 0o700)
})

test('refuses a state folder that is a file or lies below one', async (t) => {
  const file = join(await folder(t), 'x')
  await writeFile(file, '')
  await assert.rejects(openHome(file), { code: 'HOME_UNUSABLE', kind: 'local' })
  await assert.rejects(openHome(join(file, 'y')), { code: 'HOME_UNUSABLE' })
})

test('refuses a state folder of another user', async (t) => {
  // Only root can give a folder away; anyone else finds root's.
  const isRoot = process.getuid?.() === 0
  const home = isRoot ? await folder(t) : '/usr'
  if (isRoot) await chown(home, 65_534, 65_534)
  await assert.rejects(openHome(home), { code: 'HOME_NOT_OWNED' })
})

test('writes a file that only the owner may read, and leaves nothing beside it', async (t) => {
  const home = await folder(t)
  const path = join(home, 'key')
  await writePrivateFile(path, 'one')
  await writePrivateFile(path, 'two')
  assert.equal(await modeOf(path), 0o600)
  assert.equal(await readPrivateFile(path), 'two')
  assert.deepEqual(await readdir(home), ['key'])
})

test('keeps the old file and leaves nothing beside it when it cannot be replaced', async (t) => {
  const home = await folder(t)
  await mkdir(join(home, 'key'))
  await assert.rejects(writePrivateFile(join(home, 'key'), 'text'), { code: 'EISDIR' })
  assert.deepEqual(await readdir(home), ['key'])
})

for (const mode of [0o640, 0o604, 0o620, 0o602]) {
  test(`refuses a private file with mode ${mode.toString(8)}`, async (t) => {
    const path = join(await folder(t), 'key')
    await writeFile(path, 'secret-canary')
    await chmod(path, mode)
    await assert.rejects(readPrivateFile(path), (error: Error & { code: string }) => {
      assert.equal(error.code, 'HOME_FILE_OPEN')
      assert.doesNotMatch(error.message, /canary/)
      return true
    })
  })
}

test('reads nothing where there is no file, and says whether one was removed', async (t) => {
  const path = join(await folder(t), 'key')
  assert.equal(await readPrivateFile(path), undefined)
  assert.equal(await removePrivateFile(path), false)
  await writePrivateFile(path, 'x')
  assert.equal(await removePrivateFile(path), true)
})
