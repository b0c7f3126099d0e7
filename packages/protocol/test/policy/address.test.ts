import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, formatCidr, parseAddress, parseCidr } from '@byway/protocol/policy'

const CANONICAL: readonly (readonly [string, string])[] = [
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['::', '::'],
  ['::1', '::1'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['1::', '1::'],
  ['2001:DB8::A', '2001:db8::a'],
  ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ['::ffff:1.2.3.4', '1.2.3.4'],
  ['::FFFF:102:304', '1.2.3.4'],
  ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
  ['::1.2.3.4', '::102:304'],
]

for (const [text, canonical] of CANONICAL) {
  test(`writes ${text} as ${canonical} (RFC 5952)`, () => {
    const address = parseAddress(text)
    assert.ok(address)
    assert.equal(formatAddress(address), canonical)
  })
}

const REFUSED = [
  ['', 'empty text'],
  ['1.2.3', 'a short form'],
  ['1.2.3.4.5', 'five parts'],
  ['127.1', 'the two-part form of inet_aton'],
  ['2130706433', 'a single number'],
  ['0x7f.0.0.1', 'hexadecimal'],
  ['0177.0.0.1', 'octal'],
  ['01.2.3.4', 'a leading zero'],
  ['256.1.1.1', 'a part above 255'],
  ['1.2.3.4 ', 'a space'],
  ['1.2.3.4.', 'a trailing dot'],
  ['+1.2.3.4', 'a sign'],
  ['1..3.4', 'an empty part'],
  ['①.2.3.4', 'a digit that is not ASCII'],
  [':', 'one colon'],
  [':::', 'three colons'],
  ['1::2::3', 'two gaps'],
  ['1:2:3:4:5:6:7', 'seven groups'],
  ['1:2:3:4:5:6:7:8:9', 'nine groups'],
  ['1:2:3:4:5:6:7::8', 'a gap that stands for nothing'],
  ['12345::', 'five digits'],
  ['g::', 'no hexadecimal digit'],
  [':1:2:3:4:5:6:7:8', 'a leading colon'],
  ['1:2:3:4:5:6:7:', 'a trailing colon'],
  ['1.2.3.4::', 'a quad that does not end the address'],
  ['::1.2.3.4:5', 'a quad in the middle'],
  ['::ffff:0177.0.0.1', 'an octal quad'],
  ['::ffff:1.2.3', 'a short quad'],
  ['fe80::1%eth0', 'a zone id'],
  ['[::1]', 'brackets'],
  ['::1/128', 'a prefix length'],
  [`::${'0'.repeat(60)}1`, 'over-long text'],
] as const

for (const [text, what] of REFUSED) {
  test(`refuses ${what} as an address: ${text.slice(0, 24)}`, () => {
    assert.equal(parseAddress(text), undefined)
  })
}

test('clears host bits of a prefix', () => {
  const cidr = parseCidr('2a02:6b8:10:1234::5/56')
  assert.ok(cidr)
  assert.equal(formatCidr(cidr), '2a02:6b8:10:1200::/56')
})

for (const text of [
  '1.2.3.4',
  '1.2.3.4/',
  '1.2.3.4/33',
  '::/129',
  '1.2.3.4/08',
  '1.2.3.4/8/8',
  '::ffff:1.2.3.4/96',
  'x/8',
]) {
  test(`refuses ${text} as a prefix`, () => {
    assert.equal(parseCidr(text), undefined)
  })
}
