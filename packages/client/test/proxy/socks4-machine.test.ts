import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSocks4Machine, parseSocks4Request } from '../../src/proxy/socks4-machine.ts'
import { socks4aConnect } from './harness.ts'

function faultOf(bytes: Uint8Array): string | undefined {
  const parsed = parseSocks4Request(bytes)
  return parsed.type === 'error' ? parsed.fault : undefined
}

test('reads an IPv4 request and its user id', () => {
  const bytes = Buffer.from([4, 1, 0, 80, 192, 0, 2, 1, 109, 101, 0, 33])
  assert.deepEqual(parseSocks4Request(bytes), {
    type: 'done',
    value: { hostKind: 'literal', host: '192.0.2.1', port: 80, username: 'me' },
    usedBytes: 11,
  })
})

test('reads the name of a 4a request', () => {
  const parsed = parseSocks4Request(socks4aConnect('a.example', 443))
  assert.ok(parsed.type === 'done')
  assert.deepEqual(parsed.value, { hostKind: 'name', host: 'a.example', port: 443, username: '' })
})

test('takes 0.0.0.0 for an address, not for the mark of a name', () => {
  const parsed = parseSocks4Request(Buffer.from([4, 1, 0, 80, 0, 0, 0, 0, 0]))
  assert.ok(parsed.type === 'done')
  assert.equal(parsed.value.hostKind, 'literal')
})

test('refuses BIND, a wrong version and an empty name', () => {
  assert.equal(faultOf(Buffer.from([4, 2])), 'SOCKS_COMMAND')
  assert.equal(faultOf(Buffer.from([5, 1])), 'SOCKS_VERSION')
  assert.equal(faultOf(socks4aConnect('', 80)), 'SOCKS_NAME')
})

test('refuses a user id or name that runs on without an end', () => {
  const endless = Buffer.concat([Buffer.from([4, 1, 0, 80, 0, 0, 0, 1]), Buffer.alloc(300, 97)])
  assert.equal(faultOf(endless), 'SOCKS_TOO_LONG')
  assert.equal(faultOf(socks4aConnect('a'.repeat(256), 80)), 'SOCKS_TOO_LONG')
  assert.equal(faultOf(socks4aConnect('a'.repeat(255), 80)), undefined)
})

test('reads the options in the user id, and refuses bad ones', () => {
  const [good] = createSocks4Machine().push(socks4aConnect('a.example', 80, 'me-hops-3'))
  assert.ok(good?.type === 'request')
  assert.deepEqual(good.request.selection, { hops: 3 })
  const [bad] = createSocks4Machine().push(socks4aConnect('a.example', 80, 'me-hops-9'))
  assert.ok(bad?.type === 'refuse')
  assert.deepEqual([bad.fault, bad.bytes[1]], ['USERNAME_BAD_VALUE', 0x5b])
})
