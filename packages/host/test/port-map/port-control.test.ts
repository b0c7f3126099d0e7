/** PCP and NAT-PMP: the bytes, and a router in this process that speaks one, loses datagrams, or says what nobody asked. What a real one answers is in e2e/nat.test.ts. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { askPortControl, type PortControlPlace } from '../../src/port-map/ask-port-control.ts'
import {
  decodePcpMap,
  decodePmpAddress,
  decodePmpMap,
  encodePcpMap,
  encodePmpAddress,
  encodePmpMap,
} from '../../src/port-map/port-control.ts'

const NONCE = Uint8Array.from({ length: 12 }, (_, at) => at + 1)
const REQUEST = { nonce: NONCE, ownAddress: '192.168.1.2', port: 9443, lifetimeS: 7200 }

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (...parts: readonly string[]): Uint8Array => Buffer.from(parts.join(''), 'hex')

/** RFC 6887 §7.2, §11.1, by hand: version 2, opcode 1 | R, result, lifetime, epoch, then nonce, TCP, 9443 → 31000 at 198.51.100.9. */
const pcpAnswer = ({ result = '00', lifetime = '00000e10', external = '7918' } = {}): Uint8Array =>
  bytesOf(
    '0281',
    '00',
    result,
    lifetime,
    '00000064',
    '000000000000000000000000',
    '0102030405060708090a0b0c',
    '06',
    '000000',
    '24e3',
    external,
    '00000000000000000000ffffc6336409',
  )
const PMP_MAP = bytesOf('00', '82', '0000', '00000064', '24e3', '7918', '00000e10')
const PMP_ADDRESS = bytesOf('00', '80', '0000', '00000064', 'c6336409')
const UNSUPPORTED = bytesOf('00', '81', '0001', '00000064')

suite('the bytes of PCP and NAT-PMP', () => {
  test('a request is as the RFCs draw it', () => {
    assert.equal(
      hex(encodePcpMap(REQUEST)),
      [
        '0201',
        '0000',
        '00001c20',
        '00000000000000000000ffffc0a80102',
        '0102030405060708090a0b0c',
        '06',
        '000000',
        '24e3',
        '24e3',
        '00000000000000000000ffff00000000',
      ].join(''),
    )
    assert.equal(hex(encodePmpMap(REQUEST)), '0002000024e324e300001c20')
    assert.equal(hex(encodePmpAddress()), '0000')
  })

  test('an answer is read, with the lifetime that the router gives', () => {
    const value = { address: '198.51.100.9', port: 31_000, lifetimeS: 3600 }
    assert.deepEqual(decodePcpMap(pcpAnswer(), REQUEST), { result: 'given', value })
    assert.deepEqual(decodePmpMap(PMP_MAP, 9443), {
      result: 'given',
      value: { ...value, address: undefined },
    })
    assert.deepEqual(decodePmpAddress(PMP_ADDRESS), { result: 'given', value: '198.51.100.9' })
  })

  test('a refusal is told, and another version by itself', () => {
    assert.deepEqual(decodePcpMap(pcpAnswer({ result: '02' }), REQUEST), {
      result: 'refused',
      code: 2,
    })
    for (const answer of [UNSUPPORTED, pcpAnswer({ result: '01' })]) {
      assert.deepEqual(decodePcpMap(answer, REQUEST), { result: 'other-version' })
    }
    assert.deepEqual(decodePmpMap(bytesOf('00', '82', '0004', '00000064'), 9443), {
      result: 'refused',
      code: 4,
    })
  })

  test('what answers another question is none', () => {
    const other = { nonce: NONCE.map((byte) => byte + 1), port: 9443 }
    for (const [name, answer] of [
      ['another nonce', decodePcpMap(pcpAnswer(), other)],
      ['another port', decodePcpMap(pcpAnswer(), { ...REQUEST, port: 443 })],
      ['a lifetime of nothing', decodePcpMap(pcpAnswer({ lifetime: '00000000' }), REQUEST)],
      ['no port', decodePcpMap(pcpAnswer({ external: '0000' }), REQUEST)],
      ['our own request', decodePcpMap(encodePcpMap(REQUEST), REQUEST)],
      ['another port of NAT-PMP', decodePmpMap(PMP_MAP, 443)],
      ['an address for a port', decodePmpMap(PMP_ADDRESS, 9443)],
      ['a port for an address', decodePmpAddress(PMP_MAP)],
    ] as const) {
      assert.equal(answer, undefined, name)
    }
  })

  test('no bytes make it throw', () => {
    const seeds = [pcpAnswer(), PMP_MAP, PMP_ADDRESS, UNSUPPORTED]
    const mutated = fc
      .tuple(fc.constantFrom(...seeds), fc.nat(70), fc.array(fc.tuple(fc.nat(59), fc.nat(255))))
      .map(([seed, length, changes]) => {
        const bytes = Uint8Array.from(seed.subarray(0, length))
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        return bytes
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated), (bytes) => {
        const answers = [decodePcpMap(bytes, REQUEST), decodePmpMap(bytes, 9443)]
        for (const answer of answers) {
          if (answer?.result !== 'given') continue
          assert.ok(answer.value.port > 0 && answer.value.lifetimeS > 0)
        }
        decodePmpAddress(bytes)
      }),
    )
  })
})

type Router = PortControlPlace & { readonly heard: string[] }

/** A router that gives each datagram to `answer`, and sends what comes of it. */
async function router(
  t: TestContext,
  answer: (datagram: Uint8Array, count: number) => readonly Uint8Array[],
): Promise<Router> {
  const socket = createSocket('udp4')
  const heard: string[] = []
  socket.on('message', (bytes, from) => {
    heard.push(hex(bytes.subarray(0, 2)))
    for (const each of answer(bytes, heard.length)) socket.send(each, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => void socket.close())
  return { host: '127.0.0.1', port: socket.address().port, heard }
}

const ask = (place: PortControlPlace) =>
  askPortControl(place, REQUEST, new AbortController().signal)
const natPmp = (datagram: Uint8Array): readonly Uint8Array[] => {
  if (datagram[0] === 2) return [UNSUPPORTED]
  return [datagram[1] === 2 ? PMP_MAP : PMP_ADDRESS]
}

suite('a router', () => {
  const opened = { host: '198.51.100.9', port: 31_000, lifetimeS: 3600 }

  test('that speaks PCP is asked by PCP, again when a datagram is lost, and believed only with our nonce', async (t) => {
    const stranger = pcpAnswer()
    stranger[24] = 99
    const place = await router(t, (_, count) => (count < 2 ? [stranger] : [pcpAnswer()]))
    assert.deepEqual(await ask(place), { ...opened, protocol: 'pcp' })
    assert.ok(place.heard.every((head) => head === '0201'))
  })

  test('that says it speaks no PCP is asked by NAT-PMP', async (t) => {
    const place = await router(t, natPmp)
    assert.deepEqual(await ask(place), { ...opened, protocol: 'nat-pmp' })
    assert.deepEqual(place.heard, ['0201', '0002', '0000'])
  })

  test('that says nothing to PCP is asked by NAT-PMP too', async (t) => {
    const place = await router(t, (bytes) => (bytes[0] === 2 ? [] : natPmp(bytes)))
    assert.deepEqual(await ask(place), { ...opened, protocol: 'nat-pmp' })
  })

  test('that refuses both opens nothing', async (t) => {
    const place = await router(t, (bytes) =>
      bytes[0] === 2 ? [pcpAnswer({ result: '02' })] : [bytesOf('00', '82', '0002', '00000064')],
    )
    await assert.rejects(ask(place))
  })

  test('that says nothing at all is waited for until the caller gives up', async (t) => {
    const place = await router(t, () => [])
    const limit = AbortSignal.timeout(50)
    await assert.rejects(askPortControl(place, REQUEST, limit))
    assert.ok(limit.aborted)
  })
})
