/**
 * A challenge that is answered with real proofs before the real contracts: five slots, a receipt for each, and what a beacon draws of them. All of it is the same each time, addresses
 * included, so that proofs can be kept: `vectors/service-answer.json`, made by `node tools/run.mjs contracts/tools/make-service-answer.ts` in half a minute of all cores.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { serviceAuditorArtifact, slotProofAuthoriserArtifact } from '@byway/chain'
import {
  AUDIT_DEPTH,
  type AuditStatement,
  type AuditTree,
  buildAuditTree,
  receiptKeyOf,
  receiptPublicKey,
  type Receipt,
  sampledUnits,
  signReceipt,
} from '@byway/zk'
import { type Address, encodeAbiParameters, type Hex, keccak256, toHex } from 'viem'
import { uint } from './bytes.ts'
import type { Key } from './keys.ts'
import { type Scene, startScene } from './scene.ts'
import { createService, type Service } from './service.ts'
import type { Opening, Slot } from './slots.ts'
import { PROFILE, PROOFS } from './world.ts'

export const ANSWER_FILE: string = fileURLToPath(
  new URL('../../../vectors/service-answer.json', import.meta.url),
)
/** What decides whether kept proofs hold: the verification keys in the contracts. */
const KEYS = ['slot', 'service-audit'] as const
/** In the future: a chain's clock goes no way back. */
const EPOCH = 7000
const MAX_UNITS = 2048
/** Of each slot; together 3 664. */
const UNITS = [16, 64, 512, 1024, 2048]
/** Anvil draws each block's randomness itself, so this one is put into its place. */
const BEACON = 0x5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eedn
/** Of `beacon` among the contract's words. */
const BEACON_WORD = 1n

/** Everything but the proofs. */
export type AnswerScene = {
  readonly scene: Scene
  readonly service: Service
  readonly provider: Key
  readonly slots: readonly Slot[]
  /** Of each slot. */
  readonly receipts: readonly Receipt[]
  readonly tree: AuditTree
  readonly statement: AuditStatement
  /** Which of the slots each of the twelve samples falls on. */
  readonly samples: readonly number[]
}

/** The kept file. */
export type KeptAnswer = {
  /** Program → SHA-256 of its verification key. */
  readonly keys: Readonly<Record<string, string>>
  readonly pool: Address
  readonly statement: Readonly<Record<keyof AuditStatement, Hex>>
  readonly samples: readonly number[]
  /** Of each slot. */
  readonly openings: readonly (Omit<Opening, 'root' | 'nullifier'> & {
    readonly root: Hex
    readonly nullifier: Hex
  })[]
  readonly proof: Hex
}

/** Deploys the real contracts, deposits, and says what would have to be proved. @param nodeId - of the provider, where a node of its own answers */
export async function startAnswerScene(nodeId?: Hex): Promise<AnswerScene> {
  const { winValue, winsPerSlot, bond, unit } = PROFILE
  const scene = await startScene({
    authoriser: { ...slotProofAuthoriserArtifact, args: [winValue, winsPerSlot, bond, unit] },
    auditor: serviceAuditorArtifact,
  })
  const provider = await scene.provider('provider', nodeId)
  const secrets = UNITS.map((_, i) => new Uint8Array(32).fill(i + 1))
  const slots = (await scene.slots('answering', UNITS.length)).map((slot, i) => {
    const receiptKey = uint(receiptKeyOf(receiptPublicKey(pick(secrets, i))), 256)
    return { ...slot, opening: { ...slot.opening, receiptKey } }
  })
  const body = { provider: BigInt(provider.address), epoch: BigInt(EPOCH) }
  const receipts = slots.map(({ nullifier }, i) =>
    signReceipt(pick(secrets, i), { ...body, nullifier, units: BigInt(pick(UNITS, i)) }),
  )
  const tree = buildAuditTree(receipts, AUDIT_DEPTH)
  const { root, total } = tree
  const statement = { ...body, root, total, maxUnits: BigInt(MAX_UNITS), beacon: BEACON }
  const samples = sampledUnits(BEACON, total).map((drawn) => {
    const { nullifier } = tree.find(drawn).receipt
    return slots.findIndex((slot) => slot.nullifier === nullifier)
  })
  return {
    scene,
    service: createService(scene),
    provider,
    slots,
    receipts,
    tree,
    statement,
    samples,
  }
}

/** Commits, puts the beacon into its place, and challenges. */
export async function challengeAnswer(made: AnswerScene, challenger: Address): Promise<void> {
  const { scene, service, provider, statement } = made
  await service.until(service.endOf(EPOCH))
  const { root, total } = statement
  await service.commit(provider, EPOCH, { root, total: Number(total), maxUnits: MAX_UNITS })
  await placeBeacon(made)
  await service.until(service.beaconTime(EPOCH))
  await scene.world.fund(challenger, PROOFS.challengeBond)
  await service.send(challenger, 'challenge', provider.address, EPOCH)
}

/** Puts the beacon where a draw would. */
export async function placeBeacon({ scene, service }: AnswerScene): Promise<void> {
  const { rpc, proofs } = scene.world
  const place = encodeAbiParameters([{ type: 'uint32' }, { type: 'uint256' }], [EPOCH, BEACON_WORD])
  await rpc.request('anvil_setStorageAt', proofs, keccak256(place), uint(BEACON, 256))
  if ((await service.read('beacon', EPOCH)) !== BEACON) throw new Error('beacons lie elsewhere now')
}

/** The kept proofs, where they are of this scene and of the keys that the contracts have. @throws otherwise, with what to do */
export async function readAnswer(scene: AnswerScene): Promise<{
  readonly epoch: number
  readonly openings: readonly Opening[]
  readonly proof: Hex
}> {
  const kept = JSON.parse(await readFile(ANSWER_FILE, 'utf8')) as KeptAnswer
  const { keys, pool, statement, samples, openings } = await describe(scene)
  const isSame =
    JSON.stringify([kept.keys, kept.pool, kept.statement, kept.samples]) ===
      JSON.stringify([keys, pool, statement, samples]) &&
    kept.openings.every((each, i) => sameButProof(each, openings[i]))
  if (!isSame)
    throw new Error(
      'vectors/service-answer.json is of other keys or contracts: node tools/run.mjs contracts/tools/make-service-answer.ts',
    )
  const all = kept.openings.map((each) => {
    return { ...each, root: BigInt(each.root), nullifier: BigInt(each.nullifier) }
  })
  return { epoch: EPOCH, openings: samples.map((at) => pick(all, at)), proof: kept.proof }
}

/** What the file says of a scene, its slots with the proofs that they have. */
export async function describe({
  scene,
  statement,
  samples,
  slots,
}: AnswerScene): Promise<Omit<KeptAnswer, 'proof'>> {
  const hashes = await Promise.all(KEYS.map(async (name) => [name, await keyHash(name)] as const))
  const fields = Object.entries(statement).map(([name, value]) => [name, toHex(value)] as const)
  return {
    keys: Object.fromEntries(hashes),
    pool: scene.world.pool,
    statement: Object.fromEntries(fields) as KeptAnswer['statement'],
    samples,
    openings: slots.map(({ opening }) => {
      return { ...opening, root: toHex(opening.root), nullifier: toHex(opening.nullifier) }
    }),
  }
}

async function keyHash(program: string): Promise<string> {
  const path = new URL(`../../../packages/zk/artefacts/${program}.vk.json`, import.meta.url)
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

type KeptOpening = KeptAnswer['openings'][number]

function sameButProof(one: KeptOpening, other: KeptOpening | undefined): boolean {
  return JSON.stringify({ ...one, proof: '' }) === JSON.stringify({ ...other, proof: '' })
}

function pick<T>(from: readonly T[], at: number): T {
  const one = from[at]
  if (one === undefined) throw new Error('too few')
  return one
}
