import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { followChain } from '../../src/exit/dns-chain.ts'
import { encodeDnsQuery, readDnsReply } from '../../src/exit/dns-message.ts'
import { a, cname, reply, type SeenQuery } from './hostile-dns.ts'

const RUNS = process.env['SLOW'] === '1' ? 100_000 : 3000
const query = encodeDnsQuery(7, 'www.example', 'A')
const seen: SeenQuery = {
  id: 7,
  name: 'www.example',
  type: 1,
  over: 'udp',
  ednsBytes: 1232,
  sourcePort: 0,
  bytes: Buffer.from(query.bytes),
}
const valid = reply(seen, {
  answers: [cname('www.example', 'b.example'), a('b.example', '192.0.2.1')],
})

test('the unmutated reply leads to its address', () => {
  const read = readDnsReply(valid, query)
  assert.ok(read.kind === 'answer')
  const end = followChain('www.example', 'A', read.records)
  assert.deepEqual(end, { kind: 'addresses', addresses: ['192.0.2.1'], ttlSeconds: 600 })
})

test('any bytes and any mutation of a reply are read without throwing', () => {
  const mutation = fc.tuple(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), mutation, (bytes, [at, value, length]) => {
      const mutated = Uint8Array.from(valid).subarray(0, Math.max(length, at + 1))
      mutated[at] = value
      for (const candidate of [bytes, mutated]) {
        const read = readDnsReply(candidate, query)
        if (read.kind === 'answer') followChain('www.example', 'A', read.records)
      }
    }),
    { numRuns: RUNS },
  )
})
