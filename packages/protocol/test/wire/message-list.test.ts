import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageListReader, MessageListWriter, messagesIn } from '@byway/protocol/wire'
import { code, hex } from './hex.ts'

test('a list is type, length and body, ended by type 0 (SPEC §4.3)', () => {
  const list = hex('01 0002 aabb 07 0000 00 01 ffff')
  assert.deepEqual(
    [...messagesIn(list)],
    [
      { type: 1, body: hex('aabb') },
      { type: 7, body: hex('') },
    ],
  )
})

test('a list that fills its space exactly needs no type 0 (SPEC §4.3)', () => {
  assert.deepEqual([...messagesIn(hex('05 0001 cc'))], [{ type: 5, body: hex('cc') }])
  assert.deepEqual([...messagesIn(hex(''))], [])
})

test('padding is not read, whatever it holds (SPEC §4.3)', () => {
  assert.deepEqual([...messagesIn(hex('00 ff*20'))], [])
})

test('refuses a message that runs past the end (SPEC §4.3)', () => {
  for (const list of ['01', '01 00', '01 0001', '01 ffff 00*100', '01 0000 02 0003 0000']) {
    assert.throws(() => [...messagesIn(hex(list))], code('WIRE_LENGTH', 'message'), list)
  }
})

test('bodies are views, not copies', () => {
  const list = hex('01 0002 aabb')
  const [message] = messagesIn(list)
  list[3] = 0x11
  assert.deepEqual(message?.body, hex('11bb'))
})

test('a reader stays at the end and starts over with another list', () => {
  const reader = new MessageListReader().reset(hex('01 0000'))
  assert.deepEqual(
    [reader.next(), reader.type, reader.next(), reader.next()],
    [true, 1, false, false],
  )
  assert.deepEqual(reader.body(), hex(''))
  reader.reset(hex('02 0001 09'))
  assert.equal(reader.next(), true)
  assert.deepEqual(reader.body(), hex('09'))
})

test('a writer packs until the room is used, writes nothing too long, and zeroes the rest', () => {
  const region = new Uint8Array(12).fill(0xee)
  const writer = new MessageListWriter().reset(region)
  assert.equal(writer.roomBytes, 9)
  assert.equal(writer.append(3, hex('010203')), true)
  assert.equal(writer.roomBytes, 3)
  assert.equal(writer.append(4, hex('01020304')), false)
  assert.equal(writer.reserve(4, 4), -1)
  assert.equal(writer.reserve(4, 0), 9)
  assert.equal(writer.roomBytes, 0)
  assert.equal(writer.finish(), 9)
  assert.deepEqual(region, hex('03 0003 010203 04 0000 000000'))
})

test('a writer fills a region to the last byte', () => {
  const region = new Uint8Array(5).fill(0xee)
  const writer = new MessageListWriter().reset(region)
  assert.equal(writer.append(9, hex('aabb')), true)
  assert.ok(writer.roomBytes < 0)
  assert.equal(writer.append(9, hex('')), false)
  assert.equal(writer.finish(), 5)
  assert.deepEqual([...messagesIn(region)], [{ type: 9, body: hex('aabb') }])
})
