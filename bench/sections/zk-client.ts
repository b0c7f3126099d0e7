/** How late a client's own event loop is while it reads a large set of leaves and lays in a stock of openings: the real authoriser, tree and prover, in this program. */
import { createProofAuthoriser } from '@byway/client'
import { createLeafTree, nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import type { DepositLeaf } from '@byway/protocol/payment'
import { createPool, depositLeaf, identityCommitment, u256Bytes } from '@byway/protocol/ticket'
import { createJoinProver, createSlotProver, createZkEngine } from '@byway/zk'
import { watchLoop } from '../lib/loop-delay.ts'

const OWN_LEAF = 700
const SECRET = 0x5ec2e7n
/** Of the stock, as `opening-stock.ts` has it. */
const STOCK = 16

/** What the loop was late by, while leaves were read and while openings were made. */
export type ClientLoop = {
  readonly readingP99Ms: number
  readonly provingP99Ms: number
  readonly longestMs: number
}

/** Plays it once over so many leaves. @throws when the stock is not full in the end */
export async function measureClientLoop(leafCount: number): Promise<ClientLoop> {
  const pool = createPool(crypto, {
    chainId: 31_337,
    pool: new Uint8Array(20).fill(7),
    faceValue: 10n ** 17n,
    winsPerSlot: 2,
    bond: 10n ** 17n / 2n,
    unit: 10n ** 17n / 2n,
  })
  const limit = 2 * STOCK * pool.unitsPerSlot
  const idc = identityCommitment(crypto, SECRET)
  const leaves = Array.from({ length: leafCount }, (_, index): DepositLeaf => {
    const leaf = index === OWN_LEAF ? depositLeaf(crypto, pool, idc, limit) : BigInt(index + 1)
    return { index, leaf, idc, limit }
  })
  const root = u256Bytes(createLeafTree(leaves.map(({ leaf }) => leaf)).root)
  using engine = createZkEngine()
  const authoriser = createProofAuthoriser({
    crypto,
    createTree: createLeafTree,
    pool,
    chain: {
      leaves: (from) => Promise.resolve(leaves.slice(from)),
      newestRoot: () => Promise.resolve({ root, publishedAtS: 1, supersededAtS: undefined }),
    },
    deposits: () => Promise.resolve([{ secret: SECRET, limit, isPastKnown: true }]),
    sessionSecret: new Uint8Array(32).fill(9),
    prover: { ...createSlotProver(engine), ...createJoinProver(engine) },
    random: () => 0.5,
    nowMs: () => performance.now(),
  })
  const { signal } = new AbortController()
  const reading = watchLoop()
  const slots = await authoriser.slots(signal)
  const read = reading.stop()
  const proving = watchLoop()
  await authoriser.prepare(
    slots.map(({ nullifier }) => nullifier),
    signal,
  )
  const proved = proving.stop()
  if (authoriser.prepared !== STOCK) throw new Error(`${authoriser.prepared} openings are in stock`)
  return {
    readingP99Ms: read.p99Ms,
    provingP99Ms: proved.p99Ms,
    longestMs: Math.max(read.longestMs, proved.longestMs),
  }
}
