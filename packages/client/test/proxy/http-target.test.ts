import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  endToEndFields,
  parseAbsoluteTarget,
  parseAuthority,
  parseProxyAuthorization,
} from '../../src/proxy/http-target.ts'

test('reads authorities with names, IPv4 and bracketed IPv6', () => {
  assert.deepEqual(parseAuthority('a.example:443'), {
    ok: true,
    value: { host: 'a.example', port: 443 },
  })
  assert.deepEqual(parseAuthority('[2001:db8::1]:8443'), {
    ok: true,
    value: { host: '2001:db8::1', port: 8443 },
  })
  assert.deepEqual(parseAuthority('a.example', 80), {
    ok: true,
    value: { host: 'a.example', port: 80 },
  })
})

test('refuses authorities with user info, without a port, or with a path', () => {
  for (const text of [
    'u@a.example:1',
    'a.example',
    'a.example:',
    ':443',
    'a:b:1',
    '[::1:1',
    'a.example:123456',
    'a/b:1',
    '',
  ]) {
    assert.equal(parseAuthority(text).ok, false, text)
  }
})

test('takes absolute targets apart and leaves the path as it was written', () => {
  assert.deepEqual(parseAbsoluteTarget('http://a.example:8080/x/../y?q=%2F', 'GET'), {
    ok: true,
    value: { host: 'a.example', port: 8080, authority: 'a.example:8080', path: '/x/../y?q=%2F' },
  })
  const path = (target: string, method: string): string | undefined => {
    const parsed = parseAbsoluteTarget(target, method)
    return parsed.ok ? parsed.value.path : undefined
  }
  assert.equal(path('http://a.example', 'GET'), '/')
  assert.equal(path('http://a.example?q', 'GET'), '/?q')
  assert.equal(path('http://a.example', 'OPTIONS'), '*')
})

test('tells origin form, other schemes and nonsense apart', () => {
  const code = (target: string): string => {
    const parsed = parseAbsoluteTarget(target, 'GET')
    return parsed.ok ? 'ok' : parsed.code
  }
  assert.equal(code('/'), 'ORIGIN_FORM')
  assert.equal(code('*'), 'ORIGIN_FORM')
  assert.equal(code('https://a.example/'), 'UNSUPPORTED_SCHEME')
  for (const target of [
    'a.example',
    'http:a',
    'http://',
    'http://u:p@a.example/',
    'http://a.example/#f',
  ]) {
    assert.equal(code(target), 'REQUEST_MALFORMED', target)
  }
})

test('reads Basic credentials with the grammar of user names', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  assert.deepEqual(parseProxyAuthorization(basic('me-country-de:p:w')), {
    ok: true,
    value: { username: 'me-country-de', password: 'p:w', selection: { country: 'DE' } },
  })
  const code = (field: string): string => {
    const parsed = parseProxyAuthorization(field)
    return parsed.ok ? 'ok' : parsed.code
  }
  assert.equal(code(basic('me-nothing-x:p')), 'USERNAME_UNKNOWN_KEY')
  for (const field of ['Bearer x', 'Basic', basic('nocolon'), 'Basic !!!!', '']) {
    assert.equal(code(field), 'CREDENTIALS_MALFORMED', field)
  }
})

test('drops hop-by-hop fields, those that Connection names, and Proxy-…', () => {
  const raw = Object.entries({
    Connection: 'close, X-Private',
    'X-Private': '1',
    'Keep-Alive': '5',
    'Proxy-Authorization': 'Basic x',
    'Proxy-Connection': 'keep-alive',
    TE: 'trailers',
    Upgrade: 'h2c',
  }).flat()
  raw.push('Cookie', 'a', 'Cookie', 'b')
  assert.deepEqual(endToEndFields(raw, new Set()), ['Cookie', 'a', 'Cookie', 'b'])
})

test('does not let Connection strip the length of a message', () => {
  assert.deepEqual(
    endToEndFields(['Connection', 'Content-Length', 'Content-Length', '3'], new Set()),
    ['Content-Length', '3'],
  )
})
