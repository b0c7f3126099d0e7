/** A redeemer with gas of its own, and a provider's side of redeemers, on the contracts of a test's world. */
import { createPoolCalls, createProofCalls, tryCall } from '@byway/chain'
import { BywayError } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPool } from '@byway/protocol/ticket'
import { bytesToHex, hexToBytes, type Hex, toHex } from 'viem'
import { hash, text, uint, type Place } from '../../../../contracts/test/kit/bytes.ts'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import {
  createRedeemerService,
  type RedeemerService,
} from '../../src/redemption/redeemer-service.ts'
import {
  createRedeemers,
  type Redeemers,
  type RedeemersDeps,
} from '../../src/redemption/redeemers.ts'
import {
  openProvider,
  settingsOf,
  type RedeemingWorld,
  type RunningProvider,
} from './redeeming-world.ts'

export type OpenRedeemer = RunningProvider & {
  readonly service: RedeemerService
  /** Sends what it has and books what was mined. */
  work(): Promise<void>
}

/** Opens its store and takes up what an earlier run has kept. @param gasOf - what it believes that so many entries take, instead of trying them */
export async function openRedeemer(
  world: RedeemingWorld,
  name: string,
  coinPrice: bigint = 10n ** 18n,
  companyMs = 0,
  gasOf?: (done: bigint) => bigint,
): Promise<OpenRedeemer> {
  const { rpc, pool, proofs } = world.scene.world
  const key = keyOf(name)
  await rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  const running = await openProvider(settingsOf(world, name))
  const { reader, view } = running.chain
  const service = createRedeemerService({
    records: running.store.handOvers,
    events: running.store.ledger,
    chain: view,
    lane: running.lane,
    transactions: running.store.transactions,
    companyMs,
    calls: {
      ...createPoolCalls(hexToBytes(pool)),
      proofs: createProofCalls(hexToBytes(proofs)),
    },
    async tryCall(call, signal) {
      const tried = await tryCall(reader, running.lane.account, call, signal)
      return tried && gasOf ? { ...tried, gas: gasOf(tried.done) } : tried
    },
    coinPrice,
    nowMs: Date.now,
  })
  const work = async (): Promise<void> => {
    await service.look(world.signal)
    await running.lane.look(world.signal)
    await new Promise((resolve) => setImmediate(resolve))
    await service.look(world.signal)
  }
  return { ...running, service, work }
}

export type Ask = RedeemersDeps['ask']

/** The provider's node, as a redeemer knows it. */
export const PEER: Uint8Array = new Uint8Array(32).fill(7)

const KINDS = { lock: 1, bind: 2, claim: 3 } as const

/** A provider's side: what it leaves is given to these in turn. @param isLocked - true while its signer signs nothing */
export function redeemersIn(
  { scene }: RedeemingWorld,
  name: string,
  asked: readonly Ask[],
  fees: { readonly fee: bigint; readonly lockFee: bigint },
  isLocked: () => boolean = () => false,
): Redeemers {
  const key = keyOf(name)
  const { profile, pool } = scene.world
  const place: Place = { chainId: 31_337n, contract: pool }
  const { winValue: faceValue, winsPerSlot, bond, unit } = profile
  const terms = { chainId: 31_337, pool: hexToBytes(pool), faceValue, winsPerSlot, bond, unit }
  return createRedeemers({
    ...fees,
    pool: createPool(nodeTicketCrypto, terms),
    provider: hexToBytes(key.address),
    async sign({ kind, items, fee, deadlineS }) {
      if (isLocked()) throw new BywayError('PURSE_LOCKED', 'local', 'the purse is locked', {})
      const digest = redeemDigestOf(place, KINDS[kind], key.address, items, fee, deadlineS)
      return hexToBytes(key.sign(digest))
    },
    signCommitment: () => Promise.reject(new Error('no service proofs here')),
    candidates: () => asked.map((_ask, at) => new Uint8Array(32).fill(at)),
    ask: async (nodeId, order, signal) => asked[nodeId[0] ?? 0]?.(nodeId, order, signal),
  })
}

/** Leaves orders with a redeemer at work. */
export function taker(service: RedeemerService): Ask {
  return (_nodeId, order, signal) => service.take(PEER, order, signal)
}

/** SPEC §14.5, of items that are hashed already. */
function redeemDigestOf(
  { chainId, contract }: Place,
  kind: number,
  provider: Hex,
  items: Uint8Array,
  fee: bigint,
  deadlineS: number,
): Hex {
  const place = [uint(chainId, 256), contract]
  const promise = [uint(fee, 96), uint(deadlineS, 64)]
  return hash(
    text('byway redeem v1'),
    ...place,
    uint(kind, 8),
    provider,
    bytesToHex(items),
    ...promise,
  )
}
