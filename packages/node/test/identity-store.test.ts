import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { loadIdentity } from '../src/identity-store.ts'
import { openNodeKeys } from '../src/node-keys.ts'

const HOUR_MS = 3_600_000

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'byway-identity-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

suite('the identity on disk', () => {
  test('is made once, for its owner only, and read again', async (t) => {
    const home = join(await folder(t), 'node')
    const made = await loadIdentity(home)
    assert.equal(made.length, 32)
    assert.equal((await stat(home)).mode & 0o777, 0o700)
    assert.equal((await stat(join(home, 'identity.key'))).mode & 0o777, 0o600)
    assert.deepEqual(await loadIdentity(home), made)
    assert.deepEqual(await readdir(home), ['identity.key'])
  })

  test('differs from node to node', async (t) => {
    const [one, two] = [await loadIdentity(await folder(t)), await loadIdentity(await folder(t))]
    assert.notDeepEqual(one, two)
  })

  test('is refused when others may read it (THREAT-MODEL T31)', async (t) => {
    const home = await folder(t)
    await loadIdentity(home)
    await chmod(join(home, 'identity.key'), 0o644)
    await assert.rejects(loadIdentity(home), { code: 'HOME_FILE_OPEN' })
  })

  for (const [name, text] of [
    ['empty', ''],
    ['cut off', 'ab'.repeat(31)],
    ['too long', 'ab'.repeat(33)],
    ['no hexadecimal', 'xy'.repeat(32)],
  ] as const) {
    test(`is not replaced when its file is ${name}: the operator decides`, async (t) => {
      const home = await folder(t)
      const path = join(home, 'identity.key')
      await writeFile(path, text, { mode: 0o600 })
      await assert.rejects(loadIdentity(home), (error: Error & { code: string; kind: string }) => {
        assert.equal(error.code, 'NODE_IDENTITY_DAMAGED')
        assert.equal(error.kind, 'local')
        assert.ok(text === '' || !error.message.includes(text), 'the file is not shown')
        return true
      })
      assert.equal(await readFile(path, 'utf8'), text)
    })
  }
})

suite('the keys of a running node', () => {
  test('keep the node id across starts and the onion key across none', async (t) => {
    const home = await folder(t)
    const [before, after] = [await openNodeKeys(home), await openNodeKeys(home)]
    assert.deepEqual(after.nodeId, before.nodeId)
    const onionKeyOf = (keys: typeof before): Uint8Array => keys.onionKeys.current().pair.publicKey
    assert.notDeepEqual(onionKeyOf(after), onionKeyOf(before))
  })

  test('hold one link key for half of its 48 hours, then a new one (SPEC §2)', async (t) => {
    let nowMs = 1_800_000_000_000
    const keys = await openNodeKeys(await folder(t), () => nowMs)
    const first = keys.linkIdentity()
    nowMs += 24 * HOUR_MS - 1000
    assert.equal(keys.linkIdentity(), first)
    nowMs += 1000
    const second = keys.linkIdentity()
    assert.notDeepEqual(second.cert.linkKey, first.cert.linkKey)
    assert.equal(keys.linkIdentity(), second)
  })

  test('certify a link key for at most 48 hours, beginning a minute ago', async (t) => {
    const nowMs = 1_800_000_000_000
    const { cert } = (await openNodeKeys(await folder(t), () => nowMs)).linkIdentity()
    assert.equal(cert.notBeforeS, nowMs / 1000 - 60)
    assert.ok(cert.notAfterS - cert.notBeforeS <= 48 * 3600)
    assert.ok(cert.notAfterS - nowMs / 1000 > 47 * 3600)
  })

  test('replace a link key of the future after the clock was set back', async (t) => {
    let nowMs = 1_800_000_000_000
    const keys = await openNodeKeys(await folder(t), () => nowMs)
    const first = keys.linkIdentity()
    nowMs -= 72 * HOUR_MS
    const second = keys.linkIdentity()
    assert.notEqual(second, first)
    assert.ok(second.cert.notBeforeS <= nowMs / 1000)
  })
})
