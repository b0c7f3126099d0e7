/** Builds whole circuits in memory: a client and 1 to 3 hops, production cryptography, no links. */
import assert from 'node:assert/strict'
import { deriveCircuitKeys } from '@byway/protocol/crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { Position } from '@byway/protocol/wire'
import {
  createHopBuild,
  type HopAnswer,
  type HopBuild,
  type HopCircuit,
} from '../../src/circuit/hop-build.ts'
import { createHopLayers, type HopLayers } from '../../src/circuit/hop-layers.ts'
import type { HopKeys } from '../../src/circuit/layer-keys.ts'
import { createOnionKeys, type OnionKeys } from '../../src/circuit/onion-keys.ts'
import {
  type OriginBuildOptions,
  type OriginBuildResult,
  startOriginBuild,
} from '../../src/circuit/origin-build.ts'
import { createOriginLayers, type OriginLayers } from '../../src/circuit/origin-layers.ts'
import { seededBytes } from './seeded.ts'

export type TestNode = {
  readonly nodeId: Uint8Array
  readonly onionKeys: OnionKeys
  readonly build: HopBuild
}

/** Bytes of the right length that stand for a signed descriptor: the circuit never looks inside. */
export const DESCRIPTOR: Uint8Array = new Uint8Array(400).fill(7)

/** Handshakes that a node takes under one key; the full counts make more of them than an ordinary filter holds. */
const CAPACITY = process.env['SLOW'] === undefined ? 65_536 : 1_048_576

export function testNode(seed: number, preferAes = true): TestNode {
  const randomBytes = seededBytes(seed)
  const nodeId = randomBytes(32)
  const filter = { capacity: CAPACITY }
  const onionKeys = createOnionKeys({ provider: nodeCrypto, nodeId, randomBytes, filter }, 0)
  const build = createHopBuild({
    provider: nodeCrypto,
    randomBytes,
    nodeId,
    onionKeys,
    descriptor: () => DESCRIPTOR,
    preferAes,
  })
  return { nodeId, onionKeys, build }
}

export function originOptions(
  nodes: readonly TestNode[],
  options: Partial<OriginBuildOptions> = {},
): OriginBuildOptions {
  const hops = nodes.map(({ nodeId, onionKeys }) => ({
    nodeId,
    onionKey: onionKeys.current().pair.publicKey,
  }))
  return { provider: nodeCrypto, randomBytes: seededBytes(99), hops, ...options }
}

export type Attempt = {
  readonly result: OriginBuildResult
  /** By hop; those that were reached. */
  readonly answers: readonly HopAnswer[]
}

/** What a hostile link does to a cell on its way to hop `hop`, or back from it. */
export type Meddle = (cell: Uint8Array, way: 'create' | 'created', hop: number) => Uint8Array

/** Runs one attempt to build through these nodes, at time 0. */
export function attempt(
  nodes: readonly TestNode[],
  options: Partial<OriginBuildOptions> = {},
  meddle: Meddle = (cell) => cell,
): Attempt {
  const answers: HopAnswer[] = []
  const origin = startOriginBuild(originOptions(nodes, options))
  const ask = (cell: Uint8Array, index: number): Uint8Array => {
    const node = nodes[index]
    assert.ok(node)
    const asked = meddle(cell, 'create', index)
    const role = index === 0 ? 'client' : 'node'
    const step = node.build.onCreate(asked, role, 0)
    const answer = step.type === 'extend' ? step.onNextCreated(ask(step.cell, index + 1)) : step
    answers[index] = answer
    return meddle(answer.cell, 'created', index)
  }
  const result = origin.onCreated(ask(origin.cell, 0))
  return { result, answers }
}

export type TestCircuit = {
  readonly origin: OriginLayers
  readonly hops: readonly HopLayers[]
  readonly circuits: readonly HopCircuit[]
  /** `legHash` and S₀ as the client has them. */
  readonly last: { readonly handshakeHash: Uint8Array; readonly tunnelSecret: Uint8Array }
}

/** Builds a circuit that works, or fails the test. */
export function buildCircuit(
  nodes: readonly TestNode[],
  options: Partial<OriginBuildOptions> = {},
): TestCircuit {
  const { result, answers } = attempt(nodes, options)
  assert.equal(result.type, 'ready')
  const circuits = answers.map((answer) => {
    assert.equal(answer.type, 'ready')
    return answer.circuit
  })
  const { hops, entryLayer } = result
  const origin = createOriginLayers({ provider: nodeCrypto, hops, entryLayer })
  const last = hops.at(-1)
  assert.ok(last)
  return {
    origin,
    hops: circuits.map(({ hop, position, entryLayer: layered }) =>
      createHopLayers({ provider: nodeCrypto, hop, position, entryLayer: layered }),
    ),
    circuits,
    last: { handshakeHash: last.handshakeHash, tunnelSecret: last.keys.tunnelSecret },
  }
}

export type TestLayers = Pick<TestCircuit, 'origin' | 'hops'>

/** The layers of a circuit whose keys no handshake made: 10^5 of them take seconds. */
export function layersOf(hopCount: number, entryLayer: boolean, seed: number): TestLayers {
  const random = seededBytes(seed)
  const hops = Array.from({ length: hopCount }, (): HopKeys => {
    const handshakeHash = random(32)
    const split = { k1: random(32), k2: random(32) }
    const keys = deriveCircuitKeys(nodeCrypto, split, handshakeHash)
    return { suite: seed % 2 === 0 ? 'aes-256-gcm' : 'chacha20-poly1305', keys, handshakeHash }
  })
  return {
    origin: createOriginLayers({ provider: nodeCrypto, hops, entryLayer }),
    hops: hops.map((hop, index) =>
      createHopLayers({ provider: nodeCrypto, hop, position: (index + 1) as Position, entryLayer }),
    ),
  }
}

let nextSeed = 1
/** Fresh nodes; each has a seed of its own. */
export function testNodes(count: number): readonly TestNode[] {
  return Array.from({ length: count }, () => testNode(nextSeed++))
}
