/**
 * What a client's directory costs (SPEC §10.1, §10.2): bytes on the link of a whole set and of an hour in step, and the time to read and to judge a descriptor. The nodes
 * are synthetic: all that does not shrink is random. What was packed is unpacked and taken in by a fresh set, or there are no figures. `npm run bench -- directory` runs it
 * as a section; by itself it prints one run of half a minute:
 *
 *     node --conditions=byway:source packages/net/bench/directory.bench.ts
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { equalBytes } from '@byway/protocol/base'
import { SIGNATURE_TAG, signTagged, type SigningKeyPair } from '@byway/protocol/crypto'
import { createDescriptorSet, type DescriptorSet } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  bodyBytesOfClass,
  decodeDescriptor,
  DIRECTORY_PART_HEADER_BYTES,
  encodeDescriptor,
  encodeUnsignedDescriptor,
  MESSAGE_HEADER_BYTES,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import { packDirectory, unpackDirectory } from '../src/directory-blocks.ts'

export type DirectoryFigures = {
  /** On the link, in whole cells. */
  readonly wholeBytes: number
  /** Of a client that asks every ten minutes for what is new, with its overlap of a minute. */
  readonly hourBytes: number
  /** The same where so many percent of the nodes come back within the hour, each with an edition more. */
  readonly churn: readonly { readonly percent: number; readonly hourBytes: number }[]
  /** Each, of a descriptor that is right. */
  readonly readMs: number
  readonly judgedMs: number
  /** Each, of one with bytes changed, the signature's apart. */
  readonly refusedMs: number
  readonly packMs: number
}

const EDITIONS_A_DAY = 2
const CHURN_PERCENT = [5, 10, 20, 30] as const
const QUESTIONS_AN_HOUR = 6
const OVERLAP_S = 60
const CELL_BYTES = 16_384
/** What one cell carries of an answer. */
export const BLOCK_BYTES: number =
  bodyBytesOfClass(SIZE_CLASS.LARGE) - MESSAGE_HEADER_BYTES - DIRECTORY_PART_HEADER_BYTES
const NOW_MS = 1_800_000_000_000

/** Makes a set of that many nodes and measures it. @throws AssertionError when what was packed does not come back */
export function measureDirectory(count: number): DirectoryFigures {
  const all = syntheticSet(count)
  const packing = timed(() => [...packDirectory(all, BLOCK_BYTES)])
  const unpacked = packing.value.flatMap((block) => unpackDirectory(block) ?? [])
  assert.ok(unpacked.length === count)
  assert.ok(unpacked.every((bytes, index) => equalBytes(bytes, all[index] ?? bytes.subarray(1))))
  const set = emptySet(count)
  const judging = timed(() => unpacked.map((bytes) => set.offer(bytes, NOW_MS).result))
  assert.ok(judging.value.every((result) => result === 'accepted'))
  const reading = timed(() => all.map((bytes) => decodeDescriptor(bytes).descriptor.sequence))
  assert.equal(reading.value.length, set.size)
  const spoiled = all.map(spoil)
  const fresh = emptySet(count)
  const refusing = timed(() => spoiled.map((bytes) => fresh.offer(bytes, NOW_MS).result))
  assert.ok(refusing.value.every((result) => result === 'refused'))
  return {
    ...measureSizes(all),
    readMs: reading.ms / count,
    judgedMs: judging.ms / count,
    refusedMs: refusing.ms / count,
    packMs: packing.ms,
  }
}

/** A set with room for so many. */
export function emptySet(maxDescriptors: number): DescriptorSet {
  return createDescriptorSet(nodeCrypto, { maxDescriptors, maxBytes: 1 << 30 })
}

/** The bytes alone. */
export function measureSizes(
  all: readonly Uint8Array[],
): Pick<DirectoryFigures, 'wholeBytes' | 'hourBytes' | 'churn'> {
  const wholeBytes = [...packDirectory(all, BLOCK_BYTES)].length * CELL_BYTES
  const churn = CHURN_PERCENT.map((percent) => ({ percent, hourBytes: hourBytes(all, percent) }))
  return { wholeBytes, hourBytes: hourBytes(all, 0), churn }
}

/** Nodes of a set, all different. */
export function syntheticSet(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, number) => signedDescriptor(number))
}

/** @param percent - of the nodes, that come back within the hour */
function hourBytes(all: readonly Uint8Array[], percent: number): number {
  const eachS = 3600 / QUESTIONS_AN_HOUR + OVERLAP_S
  const editionsAnHour = EDITIONS_A_DAY / 24 + percent / 100
  const fresh = Math.ceil((all.length * editionsAnHour * eachS) / 3600)
  const blocks = [...packDirectory(all.slice(0, fresh), BLOCK_BYTES)]
  return QUESTIONS_AN_HOUR * blocks.length * CELL_BYTES
}

/** A byte in the middle is another one: the form may hold, the signature does not. */
export function spoil(bytes: Uint8Array, number: number): Uint8Array {
  const spoiled = bytes.slice()
  const at = 1 + (number % (bytes.length - 64 - 1))
  spoiled[at] = (spoiled[at] ?? 0) ^ 0x55
  return spoiled
}

function timed<Value>(run: () => Value): { readonly value: Value; readonly ms: number } {
  const beganMs = performance.now()
  const value = run()
  return { value, ms: performance.now() - beganMs }
}

/** A paid public exit with an IPv4 and an IPv6 address; one in four is in a family. Signed by a key of its own. */
function signedDescriptor(number: number): Uint8Array {
  const keys: SigningKeyPair = nodeCrypto.ed25519KeyPair(randomOf(32))
  const publishedS = NOW_MS / 1000 - 1 - (number % 40_000)
  const descriptor = {
    nodeId: keys.publicKey,
    sequence: publishedS,
    publishedS,
    expiresS: publishedS + 47 * 3600,
    onionKey: randomOf(32),
    roles: 3,
    exitProfile: 1,
    exitFlags: number & 3,
    country: ['DE', 'US', 'FR', 'JP', 'BR'][number % 5] ?? '',
    asn: 1000 + (number % 400),
    familyId: number % 4 === 0 ? randomOf(32) : undefined,
    stakerId: undefined,
    provider: randomOf(20),
    priceStep: number % 9,
    classPrices: { browse: number % 9, collect: number % 3 === 0 ? number % 9 : undefined },
    tokenKeysHash: randomOf(32),
    gossipPort: 9444,
    addresses: [
      { family: 4, bytes: randomOf(4), port: 9443 },
      { family: 6, bytes: randomOf(16), port: 9443 },
    ],
    attachments: [],
    software: 'byway/0.1.0',
  } as const
  const unsigned = encodeUnsignedDescriptor(descriptor)
  const tag = SIGNATURE_TAG.descriptor
  return encodeDescriptor(descriptor, signTagged(nodeCrypto, keys.privateKey, tag, unsigned))
}

function randomOf(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length))
}

if (import.meta.main) console.log(measureDirectory(10_000))
