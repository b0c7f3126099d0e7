/** Accounts that put nodes under stake: the owner of each stake, whom clients see in the registry. */
import { createRegistryCalls, createTokenCalls, type TransactionLane } from '@byway/chain'
import type { PaymentParameters } from '@byway/protocol/directory'
import { openPurse } from '@byway/purse'
import { looking } from './looking.ts'

export type StakersDeps = {
  /** Of a new account with coin for gas. */
  readonly openLane: () => Promise<TransactionLane>
  /** Money for an account. */
  readonly give: (to: Uint8Array, amount: bigint) => Promise<void>
  readonly payment: PaymentParameters
  /** For a node, the token's smallest parts. */
  readonly stake: bigint
  readonly signal: AbortSignal
}

/** Puts nodes under stake. */
export interface Stakers {
  /** @param staker - names the account; each name has its own */
  register(staker: number, home: string, nodeId: Uint8Array): Promise<void>
}

// Local limit (tunable): docs/LIMITS.md. Nodes register side by side: each lane looks by itself.
const LOOK_MS = 100
/** A registration before the approval that it needs is mined takes 157 937 (contracts/GAS.md). */
const REGISTER_GAS = 300_000n

/** Creates it; an account is opened with its first node. */
export function createStakers({ openLane, give, payment, stake, signal }: StakersDeps): Stakers {
  const [token, registry] = [createTokenCalls(payment.token), createRegistryCalls(payment.registry)]
  const lanes = new Map<number, Promise<TransactionLane>>()
  const laneOf = (staker: number): Promise<TransactionLane> => {
    const lane = lanes.get(staker) ?? openLane()
    lanes.set(staker, lane)
    return lane
  }
  return {
    async register(staker, home, nodeId) {
      const lane = await laneOf(staker)
      await give(lane.account, stake)
      await using purse = await openPurse(home, { isLocal: true, rules: payment })
      const { provider, owner, funds } = purse.accounts
      const payout = owner ?? funds
      const signature = await purse.signRegistration({ owner: lane.account, nodeId, payout })
      const call = registry.register({ provider, nodeId, payout, stake, signature })
      const name = Buffer.from(nodeId).toString('hex')
      const register = async (ended: AbortSignal): Promise<void> => {
        const either = AbortSignal.any([signal, ended])
        // Another node of the same owner adds to what the registry may take.
        const allowed = { ...token.approve(payment.registry, ALL_MONEY), key: `approve:${name}` }
        await lane.send(allowed, either)
        const sent = await lane.send({ ...call, key: `stake:${name}`, gas: REGISTER_GAS }, either)
        await sent.confirmed
      }
      await looking(lane, register, LOOK_MS)
    },
  }
}

/** More than any network gives away. */
const ALL_MONEY = 10n ** 26n
