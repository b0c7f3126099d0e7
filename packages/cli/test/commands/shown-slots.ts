/** A client's journal and books as if slots of its first deposit had been shown to a hop. */
import assert from 'node:assert/strict'
import { createProofAuthoriser } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import { nodeKeyOf } from '@byway/protocol/directory'
import { createLeafTree, nodePoseidon, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPool } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import { findDeposits, openPurse } from '@byway/purse'
import { createJoinProver, createSlotProver, createZkEngine } from '@byway/zk'
import { openOwnStore } from '../../src/engine/own-store.ts'
import type { PaidTestNetwork } from './paid-network.ts'

const HOP = nodeKeyOf(new Uint8Array(32).fill(5))
export const SLOT_VALUE = 250_000n

/** Puts slots of the first deposit into the client's journal and books, as if they had been shown to a hop. */
export async function showSlots(
  { payment, chain }: PaidTestNetwork,
  home: string,
  standings: readonly ('refused' | 'shown')[],
  signal: AbortSignal,
): Promise<readonly Opening[]> {
  await using purse = await openPurse(home, { isLocal: true, rules: payment })
  await using store = await openOwnStore(home, 'client')
  using engine = createZkEngine()
  const authoriser = createProofAuthoriser({
    crypto: nodeTicketCrypto,
    createTree: createLeafTree,
    pool: createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue }),
    chain: chain.view,
    deposits: async () => {
      const leaves = await chain.view.leaves(0, signal)
      const { deposits } = await findDeposits(purse, leaves, nodePoseidon)
      return deposits.map(({ owner, ...deposit }) => ({ ...deposit, secret: owner.secret }))
    },
    sessionSecret: purse.sessionSecret(),
    prover: { ...createSlotProver(engine), ...createJoinProver(engine) },
    random: () => 0.5,
    nowMs: () => 0,
  })
  const slots = await authoriser.slots(signal)
  const openings: Opening[] = []
  for (const [at, standing] of standings.entries()) {
    const { nullifier } = slots[at] ?? assert.fail('a slot for each')
    const opening = await authoriser.openingFor(nullifier, signal)
    openings.push(opening)
    const record = { nullifier, hop: HOP, use: 'link', shownAtS: 1, opening, floor: 0 } as const
    await store.slots.put({ ...record, standing })
    await store.ledger.record({
      id: `slot:${toHex(nullifier)}`,
      atMs: 1,
      type: 'slot-shown',
      hop: HOP,
      amount: SLOT_VALUE,
    })
  }
  return openings
}
