import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSocks4Machine } from '../../src/proxy/socks4-machine.ts'
import { createSocks5Machine } from '../../src/proxy/socks5-machine.ts'
import { encodeAddress, parseAddress } from '../../src/proxy/socks5-codec.ts'
import type { SocksMachine, SocksOutput } from '../../src/proxy/socks-parse.ts'
import { decodeDatagram, encodeDatagram } from '../../src/proxy/udp-codec.ts'
import { socks4aConnect } from './harness.ts'

const RUNS = process.env['SLOW'] === '1' ? 100_000 : 2000
const MACHINES = [createSocks4Machine, createSocks5Machine]

/** Feeds parts; bytes behind the request may come in any part, so they are joined. */
function outcome(machine: SocksMachine, parts: readonly Uint8Array[]): unknown {
  const rest: Uint8Array[] = []
  const outputs: SocksOutput[] = []
  for (const part of parts) {
    if (outputs.at(-1)?.type === 'request') rest.push(part)
    else outputs.push(...machine.push(part))
  }
  return outputs.map((output) =>
    output.type === 'request'
      ? { ...output, rest: Buffer.concat([output.rest, ...rest]).toString('hex') }
      : { ...output, bytes: Buffer.from(output.bytes).toString('hex') },
  )
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [
    0,
    ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b),
    bytes.length,
  ]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

const label = fc.stringMatching(/^[a-z]{1,20}$/)
const handshake5 = fc
  .record({
    user: fc.option(label),
    host: label,
    port: fc.integer({ min: 0, max: 65_535 }),
    data: fc.uint8Array(),
  })
  .map(({ user, host, port, data }) => {
    const name = Buffer.from(user ?? '')
    const auth = user === null ? [5, 1, 0] : [5, 2, 0, 2, 1, name.length, ...name, 1, 120]
    const address = encodeAddress({ host, port })
    return Buffer.from([...auth, 5, 1, 0, ...address, ...data])
  })
const handshake4 = fc
  .record({
    user: label,
    host: label,
    port: fc.integer({ min: 0, max: 65_535 }),
    data: fc.uint8Array(),
  })
  .map(({ user, host, port, data }) => Buffer.concat([socks4aConnect(host, port, user), data]))

test('valid handshakes give the same result however they are split', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 12 })
  fc.assert(
    fc.property(handshake5, cuts, (bytes, at) => {
      const whole = outcome(createSocks5Machine(), [bytes])
      assert.deepEqual(outcome(createSocks5Machine(), split(bytes, at)), whole)
      assert.deepEqual(
        outcome(
          createSocks5Machine(),
          [...bytes].map((byte) => Uint8Array.of(byte)),
        ),
        whole,
      )
      assert.ok(JSON.stringify(whole).includes('"request"'))
    }),
    { numRuns: RUNS / 10 },
  )
  fc.assert(
    fc.property(handshake4, cuts, (bytes, at) => {
      const whole = outcome(createSocks4Machine(), [bytes])
      assert.deepEqual(outcome(createSocks4Machine(), split(bytes, at)), whole)
      assert.ok(JSON.stringify(whole).includes('"request"'))
    }),
    { numRuns: RUNS / 10 },
  )
})

test('no bytes make a machine throw, and none make it speak after its end', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 600, size: 'max' }),
    handshake5.chain((valid) =>
      fc.tuple(fc.nat(valid.length), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
        const mutated = Buffer.from(valid)
        mutated[at] = byte
        return mutated
      }),
    ),
  )
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 6 }), (input, first) => {
      for (const make of MACHINES) {
        const machine = make()
        const outputs = [...machine.push(Uint8Array.of(first)), ...machine.push(input)]
        const end = outputs.findIndex(({ type }) => type !== 'send')
        assert.ok(end === -1 || end === outputs.length - 1)
      }
    }),
    { numRuns: RUNS },
  )
})

test('addresses and datagrams read back as they were written', () => {
  const host = fc.oneof(fc.ipV4(), label, fc.constantFrom('2001:db8::1', 'fe80::', '::1'))
  fc.assert(
    fc.property(
      host,
      fc.integer({ min: 0, max: 65_535 }),
      fc.uint8Array(),
      (name, port, payload) => {
        const address = parseAddress(encodeAddress({ host: name, port }))
        assert.ok(address.type === 'done')
        assert.deepEqual([address.value.host, address.value.port], [name, port])
        const datagram = decodeDatagram(encodeDatagram({ peer: { host: name, port }, payload }))
        assert.deepEqual(Buffer.from(datagram?.payload ?? []), Buffer.from(payload))
      },
    ),
    { numRuns: RUNS / 4 },
  )
})
