import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSocks5Machine } from '../../src/proxy/socks5-machine.ts'
import type { SocksOutput } from '../../src/proxy/socks-parse.ts'
import { encodeReply } from '../../src/proxy/socks5-codec.ts'

function push(...bytes: number[]): readonly SocksOutput[] {
  return createSocks5Machine().push(Uint8Array.from(bytes))
}

function refusal(outputs: readonly SocksOutput[]): [string, string] {
  const last = outputs.at(-1)
  assert.equal(last?.type, 'refuse')
  return [last.fault, Buffer.from(last.bytes).toString('hex')]
}

const NAME = [...Buffer.from('a.example')]

test('asks for no authentication when the app offers none (RFC 1928 §3)', () => {
  assert.deepEqual(push(5, 1, 0), [{ type: 'send', bytes: Uint8Array.of(5, 0) }])
})

test('prefers user and password when the app offers both', () => {
  assert.deepEqual(push(5, 2, 0, 2), [{ type: 'send', bytes: Uint8Array.of(5, 2) }])
})

test('refuses a greeting with 0 methods', () => {
  assert.deepEqual(refusal(push(5, 0)), ['SOCKS_METHODS', '05ff'])
})

test('takes a greeting with 255 methods when one of them is ours', () => {
  const methods = Array.from({ length: 255 }, (_, index) => (index === 254 ? 0 : 3 + (index % 250)))
  assert.deepEqual(push(5, 255, ...methods), [{ type: 'send', bytes: Uint8Array.of(5, 0) }])
})

test('refuses a greeting with 255 methods none of which is ours', () => {
  assert.deepEqual(refusal(push(5, 255, ...Array<number>(255).fill(9))), ['SOCKS_METHODS', '05ff'])
})

test('reads a request for a name, with the bytes behind it', () => {
  const outputs = push(5, 1, 0, 5, 1, 0, 3, 9, ...NAME, 1, 187, 71, 69)
  const last = outputs.at(-1)
  assert.equal(last?.type, 'request')
  assert.deepEqual(last.request, {
    command: 'connect',
    hostKind: 'name',
    host: 'a.example',
    port: 443,
    username: '',
    password: '',
    selection: {},
  })
  assert.equal(Buffer.from(last.rest).toString(), 'GE')
})

test('reads IPv4 and IPv6 literals in canonical form', () => {
  const v4 = push(5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 7, 0, 80).at(-1)
  assert.ok(v4?.type === 'request')
  assert.deepEqual(
    [v4.request.hostKind, v4.request.host, v4.request.port],
    ['literal', '192.0.2.7', 80],
  )
  const zeros = Array<number>(11).fill(0)
  const v6 = push(5, 1, 0, 5, 1, 0, 4, 0x20, 1, 0xd, 0xb8, ...zeros, 1, 0, 80).at(-1)
  assert.ok(v6?.type === 'request')
  assert.deepEqual([v6.request.hostKind, v6.request.host], ['literal', '2001:db8::1'])
})

test('reads UDP ASSOCIATE and RESOLVE', () => {
  for (const [byte, command] of [
    [3, 'associate'],
    [0xf0, 'resolve'],
  ] as const) {
    const last = push(5, 1, 0, 5, byte, 0, 3, 9, ...NAME, 0, 0).at(-1)
    assert.ok(last?.type === 'request')
    assert.equal(last.request.command, command)
  }
})

test('refuses BIND and every unknown command with reply 7', () => {
  for (let command = 0; command < 256; command += 1) {
    if (command === 1 || command === 3 || command === 0xf0) continue
    const [fault, bytes] = refusal(push(5, 1, 0, 5, command, 0, 3, 9, ...NAME, 0, 80))
    assert.equal(fault, 'SOCKS_COMMAND')
    assert.equal(bytes.slice(0, 4), '0507')
  }
})

test('refuses an unknown address type with reply 8', () => {
  const [fault, bytes] = refusal(push(5, 1, 0, 5, 1, 0, 2, 1, 1, 1, 1, 0, 80))
  assert.deepEqual([fault, bytes.slice(0, 4)], ['SOCKS_ADDRESS_TYPE', '0508'])
})

test('refuses a name of length 0 and a name that holds NUL', () => {
  assert.equal(refusal(push(5, 1, 0, 5, 1, 0, 3, 0, 0, 80))[0], 'SOCKS_NAME')
  assert.equal(refusal(push(5, 1, 0, 5, 1, 0, 3, 3, 97, 0, 98, 0, 80))[0], 'SOCKS_NAME')
})

test('reads a name of length 255 whole; whether it is a name is judged later', () => {
  const last = push(5, 1, 0, 5, 1, 0, 3, 255, ...Array<number>(255).fill(97), 0, 80).at(-1)
  assert.ok(last?.type === 'request')
  assert.equal(last.request.host.length, 255)
})

test('refuses a wrong version in the request and in the authentication', () => {
  assert.equal(refusal(push(5, 1, 0, 4, 1, 0, 3, 1, 97, 0, 80))[0], 'SOCKS_VERSION')
  assert.deepEqual(refusal(push(5, 1, 2, 5, 1, 97, 1, 97)), ['SOCKS_AUTH', '0101'])
})

test('reads user name and password, and the options in the name (RFC 1929)', () => {
  const user = [...Buffer.from('me-country-de')]
  const outputs = push(5, 1, 2, 1, user.length, ...user, 2, 112, 119, 5, 1, 0, 3, 9, ...NAME, 0, 80)
  assert.deepEqual(outputs.slice(0, 2), [
    { type: 'send', bytes: Uint8Array.of(5, 2) },
    { type: 'send', bytes: Uint8Array.of(1, 0) },
  ])
  const last = outputs.at(-1)
  assert.ok(last?.type === 'request')
  const { username, password, selection } = last.request
  assert.deepEqual(
    { username, password, selection },
    {
      username: 'me-country-de',
      password: 'pw',
      selection: { country: 'DE' },
    },
  )
})

test('takes an empty user name and password', () => {
  assert.deepEqual(push(5, 1, 2, 1, 0, 0).at(-1), { type: 'send', bytes: Uint8Array.of(1, 0) })
})

test('refuses a user name with an unknown option as a failed authentication', () => {
  const user = [...Buffer.from('me-county-de')]
  const outputs = push(5, 1, 2, 1, user.length, ...user, 0)
  assert.deepEqual(refusal(outputs), ['USERNAME_UNKNOWN_KEY', '0101'])
})

test('takes nothing more after it has refused', () => {
  const machine = createSocks5Machine()
  machine.push(Uint8Array.of(5, 0))
  assert.deepEqual(machine.push(Uint8Array.of(5, 1, 0)), [])
})

test('writes replies with an IPv4 or an IPv6 address (RFC 1928 §6)', () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  assert.equal(hex(encodeReply(0)), '05000001000000000000')
  assert.equal(hex(encodeReply(0, { host: '127.0.0.1', port: 1080 })), '050000017f0000010438')
  const v6 = encodeReply(0, { host: '2001:db8::1', port: 1 })
  assert.equal(hex(v6), '0500000420010db80000000000000000000000010001')
})
