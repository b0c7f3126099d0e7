import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bodyBytesOfClass,
  bodyOf,
  cellBytesOf,
  cellBytesOfClass,
  COMMAND,
  commandOf,
  isAllowed,
  isAllowedKind,
  isDiallerCircuitId,
  readCircuitId,
  readDestroyBody,
  readKind,
  readReadBytes,
  SIZE_CLASS,
  sizeClassOf,
  stampHeader,
  stampKind,
  CLOSE_REASON,
  innerBytes,
  layerBytes,
  writeDestroyBody,
} from '@byway/protocol/wire'
import { hex } from './hex.ts'

test('a header is circuit id, kind and readBytes at offsets 0, 4 and 5 (SPEC §4.1)', () => {
  const cell = new Uint8Array(4096)
  stampKind(cell, COMMAND.CREATE, SIZE_CLASS.MEDIUM)
  stampHeader(cell, 0x8000_0001, 0xfffe_fdfc)
  assert.deepEqual(cell.subarray(0, 9), hex('80000001 41 fffefdfc'))
  assert.equal(readCircuitId(cell), 0x8000_0001)
  assert.equal(readKind(cell), 0x41)
  assert.equal(readReadBytes(cell), 0xfffe_fdfc)
  assert.equal(bodyOf(cell).length, 4087)
  assert.equal(bodyOf(cell).buffer, cell.buffer)
})

test('a header is read at an offset of a receive buffer', () => {
  const buffer = hex('ff*7 00000102 83 0a0b0c0d')
  assert.equal(readCircuitId(buffer, 7), 0x102)
  assert.equal(readKind(buffer, 7), 0x83)
  assert.equal(readReadBytes(buffer, 7), 0x0a0b_0c0d)
})

test('stamping a header leaves the kind and the body alone', () => {
  const cell = hex('00000001 03 00000002 aa*55')
  stampHeader(cell, 7, 9)
  assert.deepEqual(cell, hex('00000007 03 00000009 aa*55'))
})

test('readBytes beyond 2^32 is stamped modulo 2^32', () => {
  const cell = new Uint8Array(64)
  stampHeader(cell, 1, 0x1_0000_0005)
  assert.equal(readReadBytes(cell), 5)
})

test('sizes are those of the table (SPEC §4.1)', () => {
  const cells = [0, 1, 2, 3].map((sizeClass) => cellBytesOf(sizeClass << 6))
  assert.deepEqual(cells, [1024, 4096, 16_384, 64])
  const classes = Object.values(SIZE_CLASS)
  assert.deepEqual(classes.map(cellBytesOfClass), cells)
  assert.deepEqual(classes.map(bodyBytesOfClass), [1015, 4087, 16_375, 55])
})

test('every kind byte is split into class and command, and only the table is allowed', () => {
  const allowed: number[] = []
  for (let kind = 0; kind < 256; kind++) {
    assert.equal(kind, (sizeClassOf(kind) << 6) | commandOf(kind))
    assert.equal(isAllowedKind(kind), isAllowed(commandOf(kind), sizeClassOf(kind)))
    if (isAllowedKind(kind)) allowed.push(kind)
  }
  // LINK in 0–3, CREATE and CREATED in 1, DATA and LOCAL in 0–2, DESTROY in 0 (SPEC §4.1, §4.2).
  const table = [0x00, 0x03, 0x04, 0x05, 0x40, 0x41, 0x42, 0x43, 0x45, 0x80, 0x83, 0x85, 0xc0]
  assert.deepEqual(allowed, table)
})

test('the top bit of a circuit id says that the dialler chose it (SPEC §4.1)', () => {
  assert.equal(isDiallerCircuitId(0x8000_0000), true)
  assert.equal(isDiallerCircuitId(0xffff_ffff), true)
  assert.equal(isDiallerCircuitId(0x7fff_ffff), false)
})

test('DESTROY holds a reason and zeros; an unknown reason reads as INTERNAL (SPEC §12.1)', () => {
  const body = new Uint8Array(1015).fill(0xee)
  writeDestroyBody(body, CLOSE_REASON.FENCED)
  assert.deepEqual(body, hex('1b 00*1014'))
  assert.equal(readDestroyBody(body), CLOSE_REASON.FENCED)
  for (const unknown of [0, 15, 31, 255]) {
    body[0] = unknown
    assert.equal(readDestroyBody(body), CLOSE_REASON.INTERNAL)
  }
  assert.equal(readDestroyBody(new Uint8Array(0)), CLOSE_REASON.INTERNAL)
})

test('each layer takes 17 bytes of the body (SPEC §6.1)', () => {
  assert.equal(layerBytes(1015, 0), 1015)
  assert.equal(innerBytes(1015, 0), 998)
  assert.equal(layerBytes(1015, 1), innerBytes(1015, 0))
  assert.equal(innerBytes(16_375, 1), 16_375 - 34)
})
