import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { concat, type Hex, hexToBytes } from 'viem'
import { uint } from './kit/bytes.ts'
import { startScene } from './kit/scene.ts'
import { NO_TERMS } from './kit/slots.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const scene = await startScene()
const { client, world } = scene
after(() => scene[Symbol.asyncDispose]())

const provider = await scene.provider('provider')
const [slot] = await scene.slots('signed', 1)
if (!slot) assert.fail()
// With v 28 all forms differ; with 27 the compact one is the plain one.
let ticket = client.winning(slot, provider.address, 1)
for (let index = 2; !ticket.signature.endsWith('1c'); index++)
  ticket = client.winning(slot, provider.address, index)

/** Would the contract pay this ticket, with another signature? */
async function isPaid(signature: Hex): Promise<boolean> {
  const batch = {
    provider: provider.address,
    openings: [slot?.opening],
    tickets: [{ ...ticket, signature }],
    terms: NO_TERMS,
  }
  return (await world.rpc.read(world.inPool('bind', [batch]), provider.address)) === 1n
}

const bytes = hexToBytes(ticket.signature)
const r = BigInt(ticket.signature.slice(0, 66))
const s = BigInt(`0x${ticket.signature.slice(66, 130)}`)
const v = bytes[64] ?? 0
const form = (rOf: bigint, sOf: bigint, vOf: number): Hex =>
  concat([uint(rOf, 256), uint(sOf, 256), uint(vOf, 8)])

test('the one form is paid: 65 bytes, low s, v 27 or 28 (SPEC §13.4)', async () => {
  assert.equal(await isPaid(form(r, s, v)), true)
})

test('every other writing of the same signature is refused (THREAT-MODEL T23)', async () => {
  const compact = concat([uint(r, 256), uint(s | (BigInt(v - 27) << 255n), 256)])
  const others: Readonly<Record<string, Hex>> = {
    'high s': form(r, ORDER - s, 55 - v),
    'v 0 or 1': form(r, s, v - 27),
    'v 31 or 32': form(r, s, v + 4),
    'v of EIP-155, cut to a byte': form(r, s, (2 * 31_337 + 35 + v - 27) & 255),
    'EIP-2098': compact,
    'EIP-2098 with a byte to fill': concat([compact, uint(v, 8)]),
    'trailing zero': concat([ticket.signature, '0x00']),
    'trailing copy': concat([ticket.signature, ticket.signature]),
    short: ticket.signature.slice(0, -2) as Hex,
    'r and s swapped': form(s, r, v),
    'the other v': form(r, s, 55 - v),
    'r plus the order': form((r + ORDER) % 2n ** 256n, s, v),
    zeros: form(0n, 0n, v),
    empty: '0x',
  }
  for (const [name, signature] of Object.entries(others))
    assert.equal(await isPaid(signature), false, name)
})

test('any changed byte is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 64 }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const changed = bytes.map((byte, i) => (i === at ? byte ^ change : byte))
      assert.equal(await isPaid(`0x${Buffer.from(changed).toString('hex')}`), false)
    }),
    { numRuns: process.env['SLOW'] ? 5000 : 100 },
  )
})
