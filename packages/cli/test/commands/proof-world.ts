/** A node's state folder with receipts of an epoch, signed by clients whose slots have proofs, and the file of its network. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLeafTree, nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import {
  createPool,
  depositLeaf,
  identityCommitment,
  openingX,
  type Pool,
  proofPath,
  slotNullifier,
  u256Bytes,
} from '@byway/protocol/ticket'
import { encodeOpening, type Opening } from '@byway/protocol/wire'
import { createPurse, newWords } from '@byway/purse'
import {
  createReceiptCrypto,
  createSlotProver,
  receiptKeyOf,
  receiptPublicKey,
  type ZkEngine,
} from '@byway/zk'
import { openOwnStore } from '../../src/engine/own-store.ts'
import { paymentTable, PLACES } from '../network-text.ts'

/** Ended long ago. */
export const EPOCH = 2900
const UNITS = [16, 512, 100]
const DEPOSIT = 0x5ec2e7n
const LIMIT = 100

const TABLE = paymentTable({
  rpc: ['http://127.0.0.1:9'],
  win_value: 409_600,
  bond: 204_800,
  unit: 204_800,
  epoch: 604_800,
})
const NETWORK_TEXT = `name = "proofs"\nlocal = true\n${TABLE}`

/** What the network's file says. */
export const pool: Pool = createPool(crypto, {
  chainId: 31_337,
  pool: Buffer.from(PLACES.pool, 'hex'),
  faceValue: 409_600n,
  winsPerSlot: 2,
  bond: 204_800n,
  unit: 204_800n,
})

/** Writes the network's file; gives its path. */
export async function networkFile(folder: string): Promise<string> {
  const path = join(folder, 'proofs.toml')
  await writeFile(path, NETWORK_TEXT)
  return path
}

/** Fills a state folder. With an engine the slots are proved, which takes seconds; without one their proofs are zeros. */
export async function nodeWithReceipts(home: string, engine?: ZkEngine): Promise<Uint8Array> {
  const purse = { passphrase: 'four words for tests', cost: 'local' } as const
  const { provider } = await createPurse(home, newWords(), purse)
  await using receipts = createReceiptCrypto()
  await using store = await openOwnStore(home, 'node')
  for (const [i, units] of UNITS.entries()) {
    const secret = new Uint8Array(32).fill(i + 1)
    const opening = await openingFor(i, secret, engine)
    const { nullifier, sessionKey } = opening
    const signed = await receipts.sign(secret, { provider, nullifier, epoch: EPOCH, units })
    await store.receipts.put(signed)
    const shown = { nullifier, sessionKey, opening: encodeOpening(opening) }
    await store.openings.remember({ ...shown, keyEpoch: 0, floor: 0, firstSeenMs: 0 })
  }
  return provider
}

/** Slot `i` of one deposit in a tree of three. */
async function openingFor(
  i: number,
  receiptSecret: Uint8Array,
  engine: ZkEngine | undefined,
): Promise<Opening> {
  const idc = identityCommitment(crypto, DEPOSIT)
  const leaves = createLeafTree([1n, depositLeaf(crypto, pool, idc, LIMIT), 3n])
  const path = leaves.pathOf(1)
  if (!path) throw new Error('the leaf is there')
  const unproved: Opening = {
    root: u256Bytes(leaves.root ?? 0n),
    nullifier: u256Bytes(slotNullifier(crypto, pool, DEPOSIT, i)),
    sessionKey: new Uint8Array(20).fill(i + 1),
    receiptKey: u256Bytes(receiptKeyOf(receiptPublicKey(receiptSecret))),
    proof: new Uint8Array(256),
  }
  if (!engine) return unproved
  const witness = {
    secret: DEPOSIT,
    limit: LIMIT,
    j: i,
    path: proofPath(path),
    domain: pool.domain,
    x: openingX(crypto, unproved),
    tag: pool.tag,
    unitsPerSlot: BigInt(pool.unitsPerSlot),
  }
  const proof = await createSlotProver(engine).prove(witness, new AbortController().signal)
  return { ...unproved, proof }
}

/** What the tests compare with. */
export const TOTAL: number = UNITS.reduce((sum, each) => sum + each, 0)
export const SLOTS: number = UNITS.length
