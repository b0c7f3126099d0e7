/** What routers say by UPnP, as text. What a real one answers is in e2e/nat.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  callText,
  elementOf,
  locationOf,
  searchText,
  wanServicesOf,
} from '../../src/port-map/igd-text.ts'

const answerWith = (location: string): string =>
  `HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: urn:x\r\nLocation: ${location}\r\n\r\n`
const HERE = new URL('http://192.168.1.1:5000/desc.xml')

const service = (type: string, control: string): string =>
  `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType><SCPDURL>/x.xml</SCPDURL><controlURL>${control}</controlURL></service>`
const device = (...services: readonly string[]): string =>
  `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><serviceList>${services.join('\n')}</serviceList></device></root>`

test('a search ends with an empty line, and asks for version 1, which version 2 answers too', () => {
  assert.match(searchText(), /^M-SEARCH \* HTTP\/1\.1\r\n/)
  assert.match(searchText(), /\r\nST: \S+:InternetGatewayDevice:1\r\n\r\n$/)
})

test('the description is where the router says that answered, and nowhere else', () => {
  const good = 'http://192.168.1.1:5000/desc.xml'
  assert.equal(locationOf(answerWith(good), '192.168.1.1')?.href, good)
  for (const bad of [
    'http://192.168.1.9:5000/desc.xml',
    'http://example.com/desc.xml',
    'https://192.168.1.1/desc.xml',
    'http://192.168.1.1@example.com/',
    'file:///etc/passwd',
    'desc.xml',
  ]) {
    assert.equal(locationOf(answerWith(bad), '192.168.1.1'), undefined, bad)
  }
  assert.equal(locationOf('', '192.168.1.1'), undefined)
  assert.equal(
    locationOf(`NOTIFY * HTTP/1.1\r\nLOCATION: ${good}\r\n\r\n`, '192.168.1.1'),
    undefined,
  )
})

test('services that open ports are found, the newest first, at the router itself alone', () => {
  const xml = device(
    service('WANPPPConnection:1', '/ppp'),
    service('Layer3Forwarding:1', '/l3'),
    service('WANIPConnection:1', 'http://192.168.1.1:5000/ip?a=1&amp;b=2'),
    service('WANIPConnection:2', 'http://192.168.1.9/other'),
  )
  assert.deepEqual(wanServicesOf(xml, HERE), [
    { type: 'urn:schemas-upnp-org:service:WANIPConnection:1', controlPath: '/ip?a=1&b=2' },
    { type: 'urn:schemas-upnp-org:service:WANPPPConnection:1', controlPath: '/ppp' },
  ])
  assert.deepEqual(wanServicesOf('<html/>', HERE), [])
})

test('elements are read whatever their prefix and attributes, and text alone', () => {
  const xml =
    '<s:Body><u:R xmlns:u="x"><NewReservedPort dt:dt="ui2"> 9444 </NewReservedPort></u:R></s:Body>'
  assert.equal(elementOf(xml, 'NewReservedPort'), '9444')
  assert.equal(elementOf(xml, 'ReservedPort'), undefined)
  assert.equal(elementOf('<a><b>c</b></a>', 'a'), undefined)
  assert.match(
    callText('urn:t', 'Do', { A: 1, B: '' }),
    /<u:Do xmlns:u="urn:t"><A>1<\/A><B><\/B><\/u:Do>/,
  )
})

test('no text makes it throw', () => {
  const parts = fc.constantFrom(
    '<service>',
    '<serviceType>',
    '<controlURL>',
    'http://[',
    'urn:',
    '</',
    '>',
    '<',
  )
  const texts = fc.oneof(
    fc.string(),
    fc.array(fc.oneof(parts, fc.string())).map((all) => all.join('')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      wanServicesOf(text, HERE)
      locationOf(text, '192.168.1.1')
      locationOf(answerWith(text), '192.168.1.1')
      elementOf(text, 'controlURL')
    }),
  )
})
