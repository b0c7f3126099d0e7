import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DEFAULT_CONFIG } from '../../src/config/config.ts'
import { homePath } from '../../src/config/home-path.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { resolveConfig, settingsByVariable } from '../../src/config/resolve-config.ts'
import { keyPath } from '../../src/config/toml-file.ts'

/** Code and context of the error that a call throws. */
function faultOf(call: () => unknown): Readonly<Record<string, unknown>> {
  let fault: Readonly<Record<string, unknown>> = {}
  assert.throws(call, (error: { code: string; context: object; kind: string }) => {
    assert.equal(error.kind, 'config')
    fault = { code: error.code, ...error.context }
    return true
  })
  return fault
}

test('takes the defaults when nobody says anything', () => {
  assert.deepEqual(resolveConfig({}), DEFAULT_CONFIG)
  assert.equal(DEFAULT_CONFIG.client.port, 1080)
})

test('lets the file win over defaults, the environment over the file, and flags over all', () => {
  const file = 'log_level = "warn"\n[client]\nport = 1\nhops = 3\nsafe_socks = true\n'
  const env = { BYWAY_CLIENT_PORT: '2', BYWAY_CLIENT_COUNTRY: 'DE', PATH: '/bin' }
  const flags = { client: { port: 3, hops: undefined } }
  const { client } = resolveConfig({ file, env, flags })
  assert.deepEqual(client, {
    listen: '127.0.0.1',
    port: 3,
    hops: 3,
    country: 'DE',
    safeSocks: true,
    budget: '',
    maxPrice: 8,
    trafficClass: 'browse',
    chainThrough: 'network',
    ownNodes: [],
  })
  assert.equal(resolveConfig({ file, env }).client.port, 2)
  assert.equal(resolveConfig({ file }).client.port, 1)
})

test('reads booleans, numbers and lists from the environment', () => {
  const env = {
    BYWAY_EXIT_IPV6: 'true',
    BYWAY_EXIT_DENY_NAMES: 'a.example, b.example',
    BYWAY_NODE_ADVERTISE: '',
    BYWAY_HOME: '/x',
    BYWAY_CONFIG: '/y',
  }
  const config = resolveConfig({ env })
  assert.equal(config.exit.ipv6, true)
  assert.deepEqual(config.exit.denyNames, ['a.example', 'b.example'])
  assert.deepEqual(config.node.advertise, [])
})

test('gives a configuration that nothing can change', () => {
  const config = resolveConfig({})
  assert.equal(Object.isFrozen(config) && Object.isFrozen(config.exit.denyNames), true)
})

const FILES: readonly (readonly [
  what: string,
  text: string,
  code: string,
  key: string | number,
])[] = [
  ['an unknown key', 'prot = 1', 'CONFIG_UNKNOWN_KEY', 'prot'],
  ['an unknown key in a table', '[client]\nprot = 1', 'CONFIG_UNKNOWN_KEY', 'client.prot'],
  ['an unknown table', '[cleint]\nport = 1', 'CONFIG_UNKNOWN_KEY', 'cleint'],
  ['a key in camelCase', '[client]\nsafeSocks = true', 'CONFIG_UNKNOWN_KEY', 'client.safeSocks'],
  ['text for a number', '[client]\nport = "1080"', 'CONFIG_VALUE', 'client.port'],
  ['a port out of range', '[client]\nport = 65536', 'CONFIG_VALUE', 'client.port'],
  ['a fraction', '[client]\nport = 1.5', 'CONFIG_VALUE', 'client.port'],
  ['no hours', '[share]\nquiet_hours = ["at night"]', 'CONFIG_VALUE', 'share.quiet_hours.0'],
  ['no day', '[share]\nquiet_hours = ["fry 22:00-07:00"]', 'CONFIG_VALUE', 'share.quiet_hours.0'],
  ['a cap below 0', '[share]\ndaily_cap_gb = -1', 'CONFIG_VALUE', 'share.daily_cap_gb'],
  ['the 29th', '[share]\nbilling_day = 29', 'CONFIG_VALUE', 'share.billing_day'],
  ['one hop', '[client]\nhops = 1', 'CONFIG_VALUE', 'client.hops'],
  ['a name for an address', '[node]\nlisten = "localhost"', 'CONFIG_VALUE', 'node.listen'],
  ['an address in disguise', '[node]\nlisten = "127.1"', 'CONFIG_VALUE', 'node.listen'],
  [
    'a bad item in a list',
    '[exit]\ndeny_prefixes = ["10.0.0.0/8", "x"]',
    'CONFIG_VALUE',
    'exit.deny_prefixes.1',
  ],
  ['a table for a value', '[log_level]\nx = 1', 'CONFIG_VALUE', 'log_level'],
  ['a country in small letters', '[client]\ncountry = "de"', 'CONFIG_VALUE', 'client.country'],
]
for (const [what, file, code, key] of FILES) {
  test(`refuses ${what} in the file, and names the key`, () => {
    const { code: got, source, key: named } = faultOf(() => resolveConfig({ file }))
    assert.deepEqual({ got, source, named }, { got: code, source: 'config file', named: key })
  })
}

test('names the line of a file that is no TOML, and quotes nothing of it', () => {
  const fault = faultOf(() => resolveConfig({ file: 'log_level = "info"\nsecret-canary' }))
  assert.deepEqual(fault, { code: 'CONFIG_SYNTAX', source: 'config file', line: 2 })
})

test('refuses unknown and bad variables, and names them', () => {
  assert.deepEqual(
    faultOf(() => resolveConfig({ env: { BYWAY_CLIENT_PROT: '1' } })),
    {
      code: 'CONFIG_UNKNOWN_KEY',
      source: 'environment',
      key: 'BYWAY_CLIENT_PROT',
    },
  )
  for (const text of ['', 'x', '1e3', '0x10', '70000', ' 1']) {
    const fault = faultOf(() => resolveConfig({ env: { BYWAY_CLIENT_PORT: text } }))
    assert.equal(fault['key'], 'client.port', text)
    assert.equal(fault['source'], 'environment')
  }
  assert.equal(
    faultOf(() => resolveConfig({ env: { BYWAY_EXIT_IPV6: 'yes' } }))['key'],
    'exit.ipv6',
  )
})

test('refuses a bad flag as a flag', () => {
  const fault = faultOf(() => resolveConfig({ flags: { client: { hops: 7 } } }))
  assert.deepEqual([fault['source'], fault['key']], ['flags', 'client.hops'])
})

const EXAMPLE = new URL('../../byway.example.toml', import.meta.url)

test('has an example file that is the defaults once uncommented, with every setting in it', async () => {
  const text = await readFile(EXAMPLE, 'utf8')
  const bare = text.replace(/^#(?=[a-z[])/gm, '')
  assert.notEqual(bare, text)
  assert.deepEqual(resolveConfig({ file: bare }), DEFAULT_CONFIG)
  const keys = [...settingsByVariable().values()].map((path) => keyPath(path).split('.').at(-1))
  for (const key of keys) assert.match(bare, new RegExp(`^${key} = `, 'm'))
})

test('changes nothing when the example file is used as it is', async () => {
  assert.deepEqual(resolveConfig({ file: await readFile(EXAMPLE, 'utf8') }), DEFAULT_CONFIG)
})

test('finds the state folder in BYWAY_HOME, else in the home of the user', () => {
  assert.equal(homePath({ BYWAY_HOME: '/srv/byway' }), '/srv/byway')
  assert.equal(homePath({}), join(homedir(), '.byway'))
  assert.equal(homePath({ BYWAY_HOME: '' }), join(homedir(), '.byway'))
})

test('reads config.toml of the state folder if there is one, and a named file in any case', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'byway-config-'))
  t.after(() => rm(home, { recursive: true }))
  const env = { BYWAY_HOME: home }
  assert.deepEqual(await loadConfig({ env }), DEFAULT_CONFIG)
  await writeFile(join(home, 'config.toml'), '[client]\nport = 5')
  assert.equal((await loadConfig({ env })).client.port, 5)
  await writeFile(join(home, 'other.toml'), '[client]\nport = 6')
  const named = { ...env, BYWAY_CONFIG: join(home, 'other.toml') }
  assert.equal((await loadConfig({ env: named })).client.port, 6)
  await assert.rejects(loadConfig({ env, configPath: join(home, 'gone.toml') }), {
    code: 'CONFIG_UNREADABLE',
  })
  await assert.rejects(loadConfig({ env, configPath: home }), { code: 'CONFIG_UNREADABLE' })
})
