/**
 * Makes vectors/tickets.json: `node packages/protocol/test/ticket/oracle/make-ticket-vectors.ts > vectors/tickets.json`. Written from
 * SPEC §13 on @noble/* and poseidon-lite alone, without our own code, so that the code, the contracts and this agree or somebody is wrong.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { poseidon1 } from 'poseidon-lite/poseidon1'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { poseidon3 } from 'poseidon-lite/poseidon3'

const POOL = { chainId: 31_337, pool: '11'.repeat(20), faceValue: 100_000n, wins: 2, bond: 50_000n }
const LIMITS = [5, 17, 65_535, 10, 5] as const
const UNITS_PER_SLOT = 5

const hex = (value: bigint, bytes: number): string => value.toString(16).padStart(2 * bytes, '0')
const u256 = (value: bigint): Uint8Array => hexToBytes(hex(value, 32))
const number = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(bytes)}`)
const tagged = (tag: string, ...parts: Uint8Array[]): Uint8Array =>
  sha256(concatBytes(utf8ToBytes(tag), ...parts))
const secretOf = (name: string): Uint8Array => sha256(utf8ToBytes(name))
const addressOf = (secret: Uint8Array): Uint8Array =>
  keccak_256(secp256k1.getPublicKey(secret, false).subarray(1)).subarray(12)
const sign = (digest: Uint8Array, secret: Uint8Array): Uint8Array => {
  const form = secp256k1.sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' })
  return concatBytes(form.subarray(1), Uint8Array.of(27 + form[0]!))
}

const place = concatBytes(u256(BigInt(POOL.chainId)), hexToBytes(POOL.pool))
const domain = number(tagged('byway pool v1', place)) >> 8n
const ticketDomain = tagged('byway ticket v1', place)
const terms = [POOL.faceValue, BigInt(POOL.wins), POOL.bond].map(u256)
const tag = number(tagged('byway profile v1', ...terms)) >> 8n

const owners = LIMITS.map((limit, i) => {
  const secret = secretOf(`owner ${i}`)
  const address = addressOf(secret)
  const idc = poseidon1([number(address)])
  return { secret, address, limit, idc, leaf: poseidon3([idc, BigInt(limit), tag]) }
})

/** All levels of the tree, leaves first; a node without a right sibling moves up as it is. */
function levelsOf(leaves: readonly bigint[]): bigint[][] {
  const levels = [[...leaves]]
  for (let level = levels[0]!; level.length > 1; level = levels.at(-1)!) {
    const above: bigint[] = []
    for (let i = 0; i < level.length; i += 2) {
      above.push(i + 1 < level.length ? poseidon2([level[i]!, level[i + 1]!]) : level[i]!)
    }
    levels.push(above)
  }
  return levels
}

function pathOf(levels: bigint[][], index: number): { bits: number; siblings: bigint[] } {
  const siblings: bigint[] = []
  let bits = 0
  for (let level = 0, at = index; level < levels.length - 1; level++, at >>= 1) {
    const sibling = levels[level]![at ^ 1]
    if (sibling === undefined) continue
    bits |= (at & 1) << siblings.length
    siblings.push(sibling)
  }
  return { bits, siblings }
}

const levels = levelsOf(owners.map(({ leaf }) => leaf))
const root = levels.at(-1)![0]!

type OpeningChange = { j?: number; flipBits?: boolean; signer?: number; session?: string }

function opening(index: number, j: number, change: OpeningChange = {}): Record<string, unknown> {
  const { secret, address, limit } = owners[index]!
  const nullifier = poseidon3([number(address), domain, BigInt(j)])
  const session = addressOf(secretOf(`session ${index} ${j}`))
  const shown = change.session === undefined ? session : addressOf(secretOf(change.session))
  const receiptKey = new Uint8Array(32)
  const x = number(tagged('byway slot v1', session, receiptKey)) >> 8n
  const digest = tagged('byway plain v1', u256(root), u256(nullifier), u256(domain), u256(x))
  const signer = change.signer === undefined ? secret : owners[change.signer]!.secret
  const { bits, siblings } = pathOf(levels, index)
  const pathBits = change.flipBits === true ? bits ^ 1 : bits
  const numbers = [limit, change.j ?? j, pathBits].map((value) => hexToBytes(hex(BigInt(value), 4)))
  const proof = concatBytes(
    sign(digest, signer),
    ...numbers,
    Uint8Array.of(siblings.length),
    ...siblings.map(u256),
  )
  const proofBytes = hexToBytes(hex(BigInt(proof.length), 2))
  const bytes = concatBytes(u256(root), u256(nullifier), shown, receiptKey, proofBytes, proof)
  return {
    owner: bytesToHex(address),
    slot: j,
    nullifier: hex(nullifier, 32),
    sessionKey: bytesToHex(shown),
    x: hex(number(tagged('byway slot v1', shown, receiptKey)) >> 8n, 32),
    plainDigest: bytesToHex(digest),
    proof: bytesToHex(proof),
    opening: bytesToHex(bytes),
  }
}

const good = [opening(0, 0), opening(1, 2), opening(2, 13_106), opening(4, 0)]
const bad = [
  { why: 'slot beyond the limit', ...opening(0, 1) },
  { why: 'another slot than the nullifier of', ...opening(1, 2, { j: 1 }) },
  { why: 'another side of the path', ...opening(1, 0, { flipBits: true }) },
  { why: 'signed by another owner', ...opening(1, 0, { signer: 2 }) },
  { why: 'shown with another session key', ...opening(1, 0, { session: 'thief' }) },
]

function ticket(index: number, units: bigint): Record<string, unknown> {
  const slot = good[index % good.length]!
  const nullifier = hexToBytes(String(slot['nullifier']))
  const sessionSecret = secretOf(
    ['session 0 0', 'session 1 2', 'session 2 13106', 'session 4 0'][index % 4]!,
  )
  const provider = addressOf(secretOf(`provider ${index % 3}`))
  const key = secretOf('key of the reveals')
  const reveal = hmac(sha256, key, concatBytes(nullifier, hexToBytes(hex(BigInt(index), 4))))
  const commit = sha256(reveal)
  const amount = (POOL.faceValue * units) / 4096n
  const nonce = secretOf(`nonce ${index}`).subarray(0, 16)
  const fields = concatBytes(hexToBytes(hex(BigInt(index), 4)), hexToBytes(hex(amount, 12)))
  const digest = sha256(concatBytes(ticketDomain, provider, nullifier, fields, commit, nonce))
  const drawn = number(sha256(concatBytes(reveal, digest)).subarray(0, 20))
  return {
    provider: bytesToHex(provider),
    nullifier: bytesToHex(nullifier),
    sessionSecret: bytesToHex(sessionSecret),
    sessionKey: bytesToHex(addressOf(sessionSecret)),
    index,
    amount: String(amount),
    revealKey: bytesToHex(key),
    reveal: bytesToHex(reveal),
    commit: bytesToHex(commit),
    nonce: bytesToHex(nonce),
    digest: bytesToHex(digest),
    signature: bytesToHex(sign(digest, sessionSecret)),
    wins: drawn * POOL.faceValue < amount << 160n,
  }
}

/** The whole file. */
export function makeTicketVectors(): string {
  const file = {
    source:
      'own, made by packages/protocol/test/ticket/oracle/make-ticket-vectors.ts on @noble/* and poseidon-lite',
    licence: 'GPL-3.0-or-later',
    about:
      'SPEC §13. Byte strings are hex; field elements 32 bytes; amounts decimal. The tree holds the leaves in order.',
    pool: {
      chainId: POOL.chainId,
      pool: POOL.pool,
      faceValue: String(POOL.faceValue),
      winsPerSlot: POOL.wins,
      bond: String(POOL.bond),
      unitsPerSlot: UNITS_PER_SLOT,
      domain: hex(domain, 32),
      ticketDomain: bytesToHex(ticketDomain),
      tag: hex(tag, 32),
    },
    deposits: owners.map(({ address, limit, idc, leaf }) => {
      return { owner: bytesToHex(address), limit, idc: hex(idc, 32), leaf: hex(leaf, 32) }
    }),
    root: hex(root, 32),
    openings: { good, bad },
    tickets: Array.from({ length: 24 }, (_, i) => ticket(i, [1n, 16n, 2048n, 4096n][i % 4]!)),
  }
  return `${JSON.stringify(file, undefined, 2)}\n`
}

if (import.meta.main) process.stdout.write(makeTicketVectors())
