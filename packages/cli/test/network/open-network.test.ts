/** What a state folder remembers of a network's publisher, and what people are told (SPEC §18.4). */
import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { isBywayError } from '@byway/protocol/base'
import type { NetworkParameters } from '@byway/protocol/directory'
import type { CliIo } from '../../src/io.ts'
import { formatNetworkFile } from '../../src/config/network-file.ts'
import { openNetwork } from '../../src/network/open-network.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { editionBy, keyText, MAIN, publisherNumber, writeSigned } from './publisher.ts'

const [FIRST, SECOND] = [publisherNumber(1), publisherNumber(2)]
const NOW_MS = Date.parse('2026-11-23T12:00:00Z')

/** Opens the network of a state folder, and gives what was said. */
async function opened(home: string, publisher = '', networkFile = '') {
  let said = ''
  const io: Pick<CliIo, 'nowMs' | 'writeErr'> = {
    nowMs: () => NOW_MS,
    writeErr: (text) => void (said += text),
  }
  const config = { networkFile, publisher }
  const network = await openNetwork({ home, config }, io as CliIo)
  return { network, said }
}

const write = async (home: string, network: NetworkParameters, by = FIRST): Promise<void> =>
  await writeSigned(join(home, 'network.toml'), network, by)
const main = (changes: Parameters<typeof editionBy>[1] = {}, by = FIRST): NetworkParameters => ({
  ...MAIN,
  edition: editionBy(by, changes),
})

test('says at first use whom it believes from now on, keeps it, and says nothing later', async (t) => {
  const home = await temporaryHome(t)
  await write(home, main())
  const { network, said } = await opened(home)
  assert.deepEqual(network, structuredClone(main()))
  assert.match(said, /first use of network main/)
  assert.ok(said.includes(keyText(FIRST)))
  assert.match(said, /compare it with what the publisher says elsewhere/)
  const file = join(home, 'network-main.publisher')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const before = await readFile(file, 'utf8')
  assert.equal((await opened(home)).said, '')
  assert.equal(await readFile(file, 'utf8'), before)
})

test('keeps it across files: another publisher, an older edition and no signature are refused', async (t) => {
  const home = await temporaryHome(t)
  const path = join(home, 'network.toml')
  await write(home, main({ sequence: 3 }))
  await opened(home)
  await write(home, main({ sequence: 4 }, SECOND), SECOND)
  await assert.rejects(opened(home), { code: 'NETWORK_PUBLISHER' })
  await write(home, main({ sequence: 2 }))
  await assert.rejects(opened(home), { code: 'NETWORK_ROLLBACK' })
  await rm(`${path}.minisig`)
  await assert.rejects(opened(home), { code: 'NETWORK_UNSIGNED' })
  await writeFile(path, formatNetworkFile({ ...MAIN, local: true, bootstrap: [] }))
  await assert.rejects(opened(home), { code: 'NETWORK_UNSIGNED' })
  // What was refused has left nothing behind.
  await write(home, main({ sequence: 3 }))
  assert.equal((await opened(home)).said, '')
})

test('a key that the user names must match, before and after the first use', async (t) => {
  const home = await temporaryHome(t)
  await write(home, main())
  await assert.rejects(opened(home, keyText(SECOND)), { code: 'NETWORK_PUBLISHER' })
  await assert.rejects(readFile(join(home, 'network-main.publisher')), { code: 'ENOENT' })
  const { said } = await opened(home, keyText(FIRST))
  assert.match(said, /the one that you named/)
  assert.ok(!said.includes('compare it'))
  await assert.rejects(opened(home, keyText(SECOND)), { code: 'NETWORK_PUBLISHER' })
})

test('follows a publisher that hands over, and says so once', async (t) => {
  const home = await temporaryHome(t)
  await write(home, main())
  await opened(home)
  await write(home, main({ sequence: 2, nextPublisher: keyText(SECOND) }))
  assert.match((await opened(home)).said, /hands over to/)
  assert.equal((await opened(home)).said, '')
  await write(home, main({ sequence: 3 }, SECOND), SECOND)
  assert.equal((await opened(home)).said, '')
})

test('damage of what it remembers is an error each time, and not a first use', async (t) => {
  const home = await temporaryHome(t)
  const file = join(home, 'network-main.publisher')
  await write(home, main())
  await opened(home)
  const whole = await readFile(file, 'utf8')
  const damages = [
    '',
    '{}',
    whole.slice(0, -10),
    whole.replace('"main"', '"other"'),
    whole.replace('"sequence": 1', '"sequence": 0'),
    whole.replace('"sequence": 1', '"sequence": "1"'),
    whole.replace(keyText(FIRST), 'RWQ'),
    whole.replace('{', '{ "more": 1, '),
  ]
  for (const text of damages) {
    await writeFile(file, text)
    await assert.rejects(opened(home), { code: 'NETWORK_PUBLISHER_DAMAGED' }, text)
    assert.equal(await readFile(file, 'utf8'), text, 'and it is left as it is')
  }
  await writeFile(file, whole)
  await chmod(file, 0o644)
  await assert.rejects(opened(home), { code: 'HOME_FILE_OPEN' })
  await chmod(file, 0o600)
  await opened(home)
})

test('makes the state folder where there is none, and keeps networks apart', async (t) => {
  const folder = await temporaryHome(t)
  const home = join(folder, 'home')
  for (const [name, by] of [
    ['main', FIRST],
    ['other', SECOND],
  ] as const) {
    const path = join(folder, `${name}.toml`)
    await writeSigned(path, { ...main({}, by), name }, by)
    assert.match((await opened(home, '', path)).said, new RegExp(`first use of network ${name}`))
    assert.equal((await opened(home, '', path)).said, '')
  }
})

test('tells of a test network each time, and of an end that is near', async (t) => {
  const home = await temporaryHome(t)
  await write(home, { ...main({ isTest: true }), bootstrap: [] })
  await opened(home)
  assert.match((await opened(home)).said, /^byway: network main is a test network[^\n]*\n$/)
  const DAY_MS = 86_400_000
  for (const [days, isTold] of [
    [13, true],
    [15, false],
  ] as const) {
    await write(home, main({ sequence: days, expiresAtMs: NOW_MS + days * DAY_MS }))
    const { said } = await opened(home)
    assert.equal(/is taken until 2026-12-06: get the next edition/.test(said), isTold, said)
  }
})

test('a network on this machine alone leaves nothing in the state folder', async (t) => {
  const home = await temporaryHome(t)
  await mkdir(join(home, 'inner'))
  await writeFile(join(home, 'network.toml'), 'name = "lab"\nlocal = true')
  const { network, said } = await opened(home)
  assert.deepEqual([network.name, said], ['lab', ''])
  await assert.rejects(stat(join(home, 'network-lab.publisher')), { code: 'ENOENT' })
})

test('says that a file is missing', async (t) => {
  await assert.rejects(opened(await temporaryHome(t)), (error) => {
    assert.ok(isBywayError(error) && error.code === 'CONFIG_UNREADABLE')
    const { hint } = error.context as { readonly hint?: string }
    return /--network.*network\.toml.*byway testnet/.test(hint ?? '')
  })
})
