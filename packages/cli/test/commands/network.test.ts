/** `byway network keygen|sign|verify` as a publisher and a member use them. */
import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { formatNetworkFile } from '../../src/config/network-file.ts'
import { run } from '../run-cli.ts'
import { byway, temporaryHome, type Outcome } from '../spawn-byway.ts'
import { contacts, keyText, MAIN, publisherNumber } from '../network/publisher.ts'
import { asPerson, asScript } from './wallet-person.ts'

const PASSPHRASE = 'four words for tests'

type Answer = { readonly [key: string]: unknown; readonly error?: { readonly code: string } }

function answerOf({ out }: Pick<Outcome, 'out'>): Answer {
  return JSON.parse(out) as Answer
}

/** A folder with a key that is not encrypted, and a network file that names it. */
async function publisherFolder(t: TestContext) {
  const folder = await temporaryHome(t)
  const key = join(folder, 'publisher.key')
  const made = await run('network', 'keygen', key, '--unencrypted', '--json')
  assert.equal(made.code, 0, made.err)
  const publisher = String(answerOf(made)['publisher'])
  const file = join(folder, 'network.toml')
  const write = async (sequence: number, network = MAIN): Promise<void> =>
    await writeFile(
      file,
      formatNetworkFile({ ...network, edition: { sequence, publisher, isTest: false } }),
    )
  await write(1)
  const sign = async () => await run('network', 'sign', file, '--key', key, '--json')
  const verify = async (...args: string[]) =>
    await run('network', 'verify', file, '--home', join(folder, 'home'), '--json', ...args)
  return { folder, key, publisher, file, write, sign, verify }
}

test('makes a key, signs, and shows what was signed', async (t) => {
  const { folder, key, publisher, file, sign, verify } = await publisherFolder(t)
  assert.equal((await stat(key)).mode & 0o777, 0o600)
  assert.ok((await readFile(join(folder, 'publisher.pub'), 'utf8')).includes(publisher))
  const signed = await sign()
  assert.equal(signed.code, 0, signed.err)
  const { keyId, ...rest } = answerOf(signed)
  assert.deepEqual(rest, {
    network: 'main',
    sequence: 1,
    publisher,
    signature: `${file}.minisig`,
  })
  const { trustedComment, ...shown } = answerOf(await verify())
  assert.match(String(trustedComment), /\tfile:network\.toml\tnetwork:main\tsequence:1\thashed$/)
  assert.deepEqual(shown, {
    network: 'main',
    local: false,
    signed: true,
    test: false,
    sequence: 1,
    expires: null,
    contacts: 20,
    contactsCounted: 20,
    publisher,
    keyId,
    nextPublisher: null,
    trust: 'first-use',
  })
  const table = await run('network', 'verify', file, '--home', folder)
  assert.equal(table.code, 0)
  assert.ok(table.out.includes(publisher))
  assert.match(table.out, /nothing vouches for yet/)
  // Looking is not using.
  await assert.rejects(stat(join(folder, 'network-main.publisher')), { code: 'ENOENT' })
})

test('verifies against the key that is named, by itself, in a file, or in the settings', async (t) => {
  const { folder, publisher, file, sign, verify } = await publisherFolder(t)
  await sign()
  for (const named of [publisher, join(folder, 'publisher.pub')])
    assert.equal(answerOf(await verify('--publisher', named))['trust'], 'given')
  const other = await verify('--publisher', keyText(publisherNumber(9)))
  assert.deepEqual([other.code, answerOf(other).error?.code], [78, 'NETWORK_PUBLISHER'])
  const nothing = await verify('--publisher', join(folder, 'no.pub'))
  assert.deepEqual([nothing.code, answerOf(nothing).error?.code], [78, 'CONFIG_UNREADABLE'])
  const noKey = await verify('--publisher', file)
  assert.deepEqual([noKey.code, answerOf(noKey).error?.code], [78, 'CONFIG_VALUE'])
  const env = { BYWAY_HOME: folder, BYWAY_PUBLISHER: keyText(publisherNumber(9)) }
  const set = await asScript(['network', 'verify', file, '--json'], env)
  assert.deepEqual([set.code, answerOf(set).error?.code], [78, 'NETWORK_PUBLISHER'])
  const bad = await asScript(['network', 'verify', file, '--json'], {
    ...env,
    BYWAY_PUBLISHER: 'RW',
  })
  assert.deepEqual([bad.code, answerOf(bad).error?.code], [78, 'CONFIG_VALUE'])
})

test('refuses a file without signature, or with that of another edition', async (t) => {
  const { write, sign, verify } = await publisherFolder(t)
  const bare = await verify()
  assert.deepEqual([bare.code, answerOf(bare).error?.code], [78, 'NETWORK_UNSIGNED'])
  await sign()
  await write(2)
  const changed = await verify()
  assert.deepEqual([changed.code, answerOf(changed).error?.code], [78, 'NETWORK_SIGNATURE'])
  await sign()
  assert.equal((await verify()).code, 0)
})

test('signs nothing that no member would take, and says what to write', async (t) => {
  const { file, key, publisher, write, sign } = await publisherFolder(t)
  await write(1, { ...MAIN, bootstrap: contacts(19) })
  const few = await sign()
  assert.deepEqual([few.code, answerOf(few).error?.code], [78, 'NETWORK_FEW_CONTACTS'])
  await writeFile(file, 'name = "main"')
  const bare = await run('network', 'sign', file, '--key', key)
  assert.equal(bare.code, 78)
  assert.ok(bare.err.includes(`sequence = 1 and publisher = "${publisher}"`), bare.err)
  await writeFile(file, 'name = ')
  assert.equal(answerOf(await sign()).error?.code, 'CONFIG_SYNTAX')
  await assert.rejects(stat(`${file}.minisig`), { code: 'ENOENT' })
})

test('overwrites no key, leaves no half, and takes none that others can read', async (t) => {
  const { folder, key, sign } = await publisherFolder(t)
  const before = await readFile(key, 'utf8')
  const again = await run('network', 'keygen', key, '--unencrypted', '--json')
  assert.deepEqual([again.code, answerOf(again).error?.code], [74, 'EEXIST'])
  assert.equal(await readFile(key, 'utf8'), before)
  // The public file of another name is new, the secret one is there.
  await writeFile(join(folder, 'second'), 'mine')
  const half = await run('network', 'keygen', join(folder, 'second'), '--unencrypted', '--json')
  assert.equal(half.code, 74)
  await assert.rejects(stat(join(folder, 'second.pub')), { code: 'ENOENT' })
  assert.equal(await readFile(join(folder, 'second'), 'utf8'), 'mine')
  await writeFile(join(folder, 'open.key'), before, { mode: 0o644 })
  const file = join(folder, 'network.toml')
  const open = await run('network', 'sign', file, '--key', join(folder, 'open.key'), '--json')
  assert.equal(answerOf(open).error?.code, 'HOME_FILE_OPEN')
  await writeFile(key, before.replace('untrusted', 'trusted'))
  assert.equal(answerOf(await sign()).error?.code, 'NETWORK_KEY')
})

test('a key with a passphrase: asked for twice when it is made, once when it signs; never shown', async (t) => {
  const { folder, file } = await publisherFolder(t)
  const env = { BYWAY_HOME: folder }
  const key = join(folder, 'sealed.key')
  const unasked = await asScript(['network', 'keygen', key, '--json'], env)
  assert.equal(answerOf(unasked).error?.code, 'WALLET_PASSPHRASE_MISSING')
  const weak = await asPerson(['network', 'keygen', key, '--json'], env, () => 'weak')
  assert.equal(answerOf(weak).error?.code, 'PURSE_PASSPHRASE_WEAK')
  const made = await asPerson(['network', 'keygen', key, '--json'], env, () => PASSPHRASE)
  assert.equal(made.code, 0, made.err)
  const publisher = String(answerOf(made)['publisher'])
  const edition = { sequence: 1, publisher, isTest: false }
  await writeFile(file, formatNetworkFile({ ...MAIN, edition }))
  const sign = ['network', 'sign', file, '--key', key, '--json']
  const wrong = await asPerson(sign, env, () => 'four other words here')
  assert.deepEqual([wrong.code, answerOf(wrong).error?.code], [78, 'NETWORK_KEY_PASSPHRASE'])
  const passphraseFile = join(folder, 'passphrase')
  await writeFile(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 })
  const signed = await asScript(sign, { ...env, BYWAY_PUBLISHER_PASSPHRASE_FILE: passphraseFile })
  assert.equal(signed.code, 0, signed.err)
  for (const { out, err } of [unasked, made, wrong, signed])
    assert.ok(!`${out}${err}`.includes(PASSPHRASE))
})

test('runs as a program of its own', async (t) => {
  const { file, sign } = await publisherFolder(t)
  await sign()
  const { code, out, err } = await byway(['network', 'verify', file, '--json'], {
    env: { BYWAY_HOME: await temporaryHome(t) },
  })
  assert.deepEqual([code, err], [0, ''])
  assert.equal(answerOf({ out })['signed'], true)
})

test('a network on this machine alone is said to need no signature', async (t) => {
  const home = await temporaryHome(t)
  const file = join(home, 'network.toml')
  await writeFile(file, 'name = "lab"\nlocal = true')
  const { code, out } = await run('network', 'verify', file, '--home', home, '--json')
  assert.equal(code, 0)
  assert.deepEqual(answerOf({ out }), { network: 'lab', local: true, signed: false })
})
