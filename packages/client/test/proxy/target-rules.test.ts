import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTargetRules } from '../../src/proxy/target-rules.ts'

const own = { host: '127.0.0.1', port: 1080 }
const rules = createTargetRules({
  allowTargets: [{ host: '127.0.0.1', port: 8000 }, own],
  ownAddress: () => own,
})

function verdict(host: string, port = 80): string {
  const result = rules(host, port)
  return result.ok ? `${result.target.host}:${result.target.port}` : result.code
}

test('lets public names and addresses pass, in canonical form', () => {
  assert.equal(verdict('Example.COM.'), 'example.com:80')
  assert.equal(verdict('8.8.8.8'), '8.8.8.8:80')
  assert.equal(verdict('2606:4700:0:0::1111'), '2606:4700::1111:80')
  assert.equal(verdict('::ffff:8.8.8.8'), '8.8.8.8:80')
})

test('refuses what only means something here or elsewhere', () => {
  assert.equal(verdict('abcdef.onion'), 'TARGET_ONION')
  for (const name of [
    'printer.local',
    'router',
    'localhost',
    'a.localhost',
    'x.home.arpa',
    'db.internal',
  ]) {
    assert.equal(verdict(name), 'TARGET_LOCAL_NAME', name)
  }
})

test('refuses private literals in every spelling', () => {
  const spellings = [
    '127.0.0.1',
    '10.1.2.3',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
  ]
  const six = ['::1', '::', 'fe80::1', 'fc00::1', 'ff02::1', '::ffff:10.0.0.1', '::ffff:7f00:1']
  for (const host of [...spellings, ...six])
    assert.equal(verdict(host), 'TARGET_PRIVATE_ADDRESS', host)
})

test('refuses names that resolvers read as addresses, and what is no name', () => {
  const numeric = ['127.1', '0x7f.1', '2130706433', '1.2.3.4.5', '010.0.0.1']
  const broken = [
    '',
    'a..b',
    '-a.example',
    'a b.example',
    'ä.example',
    'a\0.example',
    `${'a'.repeat(64)}.example`,
  ]
  for (const host of [...numeric, ...broken, 'fe80::1%eth0', `${'abc.'.repeat(70)}example`]) {
    assert.equal(verdict(host), 'TARGET_BAD_NAME', host)
  }
})

test('refuses ports that are none', () => {
  for (const port of [0, -1, 65_536, 1.5, Number.NaN])
    assert.equal(verdict('example.com', port), 'TARGET_BAD_PORT')
})

test('serves an allowed private target on its exact port only', () => {
  assert.equal(verdict('127.0.0.1', 8000), '127.0.0.1:8000')
  assert.equal(verdict('127.0.0.1', 8001), 'TARGET_PRIVATE_ADDRESS')
  assert.equal(verdict('127.0.0.2', 8000), 'TARGET_PRIVATE_ADDRESS')
})

test('refuses to reach itself, even where that is allowed', () => {
  assert.equal(verdict('127.0.0.1', 1080), 'TARGET_LOOP')
  assert.equal(verdict('::ffff:127.0.0.1', 1080), 'TARGET_LOOP')
  assert.equal(verdict('localhost', 1080), 'TARGET_LOOP')
})
