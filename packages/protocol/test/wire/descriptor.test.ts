import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeDescriptor,
  type Descriptor,
  encodeDescriptor,
  encodeUnsignedDescriptor,
  MIN_DESCRIPTOR_BYTES,
  NO_CLASSES,
  unsignedPartOf,
} from '@byway/protocol/wire'
import { code, hex } from './hex.ts'

const FULL: Descriptor = {
  nodeId: hex('11*32'),
  sequence: 7,
  publishedS: 0x100,
  expiresS: 0x100 + 48 * 3600,
  onionKey: hex('22*32'),
  roles: 3,
  exitProfile: 1,
  exitFlags: 2,
  country: 'DE',
  asn: 3320,
  familyId: hex('33*32'),
  stakerId: hex('44*32'),
  provider: hex('77*20'),
  priceStep: 4,
  classPrices: { browse: 4, collect: 8 },
  tokenKeysHash: hex('88*32'),
  gossipPort: 9444,
  addresses: [
    { family: 4, bytes: hex('01020304'), port: 443 },
    { family: 6, bytes: hex('20*16'), port: 9001 },
  ],
  attachments: [hex('55*32')],
  software: 'byway 0.1.0',
}
const LIFE = '00000000 00000100 00000000 0002a400'
/** Bytes 0..219 of FULL; the tests below change one field each. */
const head = (
  life = LIFE,
  middle = '03 01 02 4445 00000cf8',
  step = '04',
  classes = '05 09',
): string =>
  `01 11*32 00*7 07 ${life} 22*32 ${middle} 33*32 44*32 77*20 ${step} ${classes} 88*32 24e4`
const TAIL = '02 04 01020304 01bb 06 20*16 2329 01 55*32 0b 627977617920302e312e30'
const SIGNATURE = '66*64'

test('a descriptor is laid out as the table says (SPEC §10.1)', () => {
  const unsigned = encodeUnsignedDescriptor(FULL)
  assert.deepEqual(unsigned, hex(`${head()} ${TAIL}`))
  assert.equal(unsigned[182], 4)
  assert.deepEqual(unsigned.subarray(183, 185), hex('05 09'))
  assert.equal(unsigned[219], 2)
  const bytes = encodeDescriptor(FULL, hex(SIGNATURE))
  assert.deepEqual(bytes, hex(`${head()} ${TAIL} ${SIGNATURE}`))
  const decoded = decodeDescriptor(bytes)
  assert.deepEqual(decoded, { descriptor: FULL, signature: hex(SIGNATURE) })
  // SPEC §10.1: the signature is "over the tag ‖ all before".
  assert.deepEqual(unsignedPartOf(bytes), unsigned)
})

test('the smallest descriptor has one IPv4 address and says nothing else', () => {
  const small: Descriptor = {
    ...FULL,
    country: '',
    asn: 0,
    familyId: undefined,
    stakerId: undefined,
    provider: undefined,
    priceStep: 0,
    roles: 1,
    classPrices: NO_CLASSES,
    tokenKeysHash: undefined,
    addresses: FULL.addresses.slice(0, 1),
    attachments: [],
    software: '',
  }
  const bytes = encodeDescriptor(small, hex(SIGNATURE))
  assert.equal(bytes.length, MIN_DESCRIPTOR_BYTES)
  assert.deepEqual(decodeDescriptor(bytes).descriptor, small)
})

test('an exit takes one class, the other, or both (SPEC §10.1)', () => {
  const taken = [
    [{ browse: 4, collect: undefined }, '05 00'],
    [{ browse: undefined, collect: 8 }, '00 09'],
    [{ browse: 8, collect: 4 }, '09 05'],
  ] as const
  for (const [classPrices, bytes] of taken) {
    const encoded = encodeDescriptor({ ...FULL, classPrices }, hex(SIGNATURE))
    assert.deepEqual(encoded.subarray(183, 185), hex(bytes))
    assert.deepEqual(decodeDescriptor(encoded).descriptor.classPrices, classPrices)
  }
})

test('a node without a port has attachments only', () => {
  const attached = {
    ...FULL,
    addresses: [],
    attachments: Array.from({ length: 6 }, () => hex('55*32')),
  }
  const bytes = encodeDescriptor(attached, hex(SIGNATURE))
  assert.deepEqual(decodeDescriptor(bytes).descriptor, attached)
})

const rejects = (name: string, text: string, expected: string, field?: string): void => {
  test(`refuses ${name} (SPEC §10.1)`, () => {
    assert.throws(() => decodeDescriptor(hex(text)), code(expected, field))
  })
}
const good = `${TAIL} ${SIGNATURE}`
rejects('a trailing byte', `${head()} ${good} 00`, 'WIRE_LENGTH', 'descriptor')
rejects('a missing byte', `${head()} ${TAIL} 66*63`, 'WIRE_LENGTH', 'signature')
rejects('more than 1536 bytes', `${head()} ${good} 00*1200`, 'WIRE_LENGTH', 'descriptor')
rejects('fewer than any has', '01 00*200', 'WIRE_LENGTH', 'descriptor')
rejects('another version', `02 ${head().slice(2)} ${good}`, 'WIRE_VERSION')
rejects(
  'a life of 48 h and a second',
  `${head('00*7 01 00*4 0002a302')} ${good}`,
  'WIRE_VALUE',
  'expires',
)
rejects(
  'an expiry before its publication',
  `${head('00*7 02 00*7 01')} ${good}`,
  'WIRE_VALUE',
  'expires',
)
rejects(
  'an expiry at its publication',
  `${head('00*7 02 00*7 02')} ${good}`,
  'WIRE_VALUE',
  'expires',
)
rejects('unknown roles', `${head(LIFE, '04 01 02 4445 00000cf8')} ${good}`, 'WIRE_VALUE', 'roles')
rejects(
  'an unknown exit profile',
  `${head(LIFE, '03 03 02 4445 00000cf8')} ${good}`,
  'WIRE_VALUE',
  'exitProfile',
)
rejects(
  'unknown exit flags',
  `${head(LIFE, '03 01 04 4445 00000cf8')} ${good}`,
  'WIRE_VALUE',
  'exitFlags',
)
rejects(
  'a country in lower case',
  `${head(LIFE, '03 01 02 6465 00000cf8')} ${good}`,
  'WIRE_VALUE',
  'country',
)
rejects('a ninth price step', `${head(LIFE, undefined, '09')} ${good}`, 'WIRE_VALUE', 'priceStep')
const classes = (text: string, step = '04', middle?: string): string =>
  `${head(LIFE, middle, step, text)} ${good}`
rejects('a tenth class price', classes('05 0a'), 'WIRE_VALUE', 'classPrices')
rejects('a class below the node’s price', classes('05 04'), 'WIRE_VALUE', 'classPrices')
rejects('a price at an exit that is free', classes('01 02', '00'), 'WIRE_VALUE', 'classPrices')
rejects('an exit that takes no class', classes('00 00'), 'WIRE_VALUE', 'classPrices')
rejects(
  'a relay that takes a class',
  classes('05 00', '04', '01 00 00 4445 00000cf8'),
  'WIRE_VALUE',
  'classPrices',
)
rejects(
  'an edition of before there were classes',
  `${head().replace(' 05 09 ', ' ')} ${good}`,
  'WIRE_VALUE',
  'classPrices',
)
rejects('half a country', `${head(LIFE, '03 01 02 4400 00000cf8')} ${good}`, 'WIRE_VALUE')
const V4 = '04 01020304 01bb'
const V6 = '06 20*16 2329'
for (const [name, addresses] of [
  ['three addresses', `03 ${V4} ${V6} ${V6}`],
  ['two addresses of IPv4', `02 ${V4} 04 01020305 01bb`],
  ['two addresses of IPv6', `02 ${V6} 06 21*16 2329`],
  ['IPv6 before IPv4', `02 ${V6} ${V4}`],
] as const)
  rejects(name, `${head()} ${addresses} 00 00 ${SIGNATURE}`, 'WIRE_VALUE', 'addresses')
test('encodes no second address of one family', () => {
  const [four] = FULL.addresses
  assert.ok(four)
  assert.throws(
    () => encodeDescriptor({ ...FULL, addresses: [four, four] }, hex(SIGNATURE)),
    code('WIRE_ENCODE', 'addresses'),
  )
})
rejects(
  'an unknown family',
  `${head()} 01 05 01020304 01bb 00 00 ${SIGNATURE} 00*8`,
  'WIRE_VALUE',
  'family',
)
rejects('port 0', `${head()} 01 04 01020304 0000 00 00 ${SIGNATURE}`, 'WIRE_VALUE', 'port')
rejects('seven attachments', `${head()} 00 07 55*224 00 ${SIGNATURE}`, 'WIRE_VALUE', 'attachments')
rejects(
  'neither address nor attachment',
  `${head()} 00 00 07 61*7 ${SIGNATURE}`,
  'WIRE_VALUE',
  'addresses',
)
rejects(
  '33 bytes of software',
  `${head()} 00 01 55*32 21 61*33 ${SIGNATURE}`,
  'WIRE_VALUE',
  'software',
)
rejects('software that is not ASCII', `${head()} 00 01 55*32 01 80 ${SIGNATURE}`, 'WIRE_VALUE')
rejects(
  'a sequence beyond 2^53',
  `01 11*32 ff*8 ${head().slice(head().indexOf(LIFE))} ${good}`,
  'WIRE_VALUE',
  'sequence',
)

test('our own bad values are bugs, not bytes on the wire', () => {
  const bad: readonly Partial<Descriptor>[] = [
    { nodeId: hex('00*31') },
    { expiresS: FULL.publishedS },
    { expiresS: FULL.publishedS + 48 * 3600 + 1 },
    { roles: 4 },
    { exitFlags: 4 },
    { country: 'de' },
    { familyId: hex('00*32') },
    { stakerId: hex('00*32') },
    { provider: hex('00*20') },
    { provider: hex('11*32') },
    { priceStep: 9 },
    { classPrices: { browse: 9, collect: undefined } },
    { classPrices: { browse: 3, collect: 8 } },
    { classPrices: NO_CLASSES },
    { roles: 1 },
    { tokenKeysHash: hex('00*32') },
    { addresses: [], attachments: [] },
    { addresses: [{ family: 4, bytes: hex('01020304'), port: 0 }] },
    { attachments: Array.from({ length: 7 }, () => hex('55*32')) },
    { software: 'x'.repeat(33) },
    { software: 'ü' },
  ]
  for (const change of bad) {
    assert.throws(() => encodeUnsignedDescriptor({ ...FULL, ...change }), code('WIRE_ENCODE'))
  }
  assert.throws(() => encodeDescriptor(FULL, hex('00*63')), code('WIRE_ENCODE'))
})
