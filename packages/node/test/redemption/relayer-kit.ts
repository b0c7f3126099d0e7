/** A relayer with gas of its own, on the contracts of a test's world. */
import { createLeafCalls, createPoolCalls, tryCall } from '@byway/chain'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPool } from '@byway/protocol/ticket'
import { hexToBytes, toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import { createRelayer, type Relayer } from '../../src/redemption/relayer.ts'
import {
  openProvider,
  settingsOf,
  type RedeemingWorld,
  type RunningProvider,
} from './redeeming-world.ts'

export type RunningRelayer = RunningProvider & {
  readonly relayer: Relayer
  /** Looks, has what was sent mined, and sees it. */
  readonly work: () => Promise<void>
}

export type RelayerChange = { readonly coinPrice?: bigint; readonly batchWaitS?: number }

/** Opens its store and takes up what an earlier run has kept. */
export async function openRelayer(
  world: RedeemingWorld,
  name: string,
  { coinPrice = 10n ** 18n, batchWaitS = 0 }: RelayerChange = {},
): Promise<RunningRelayer> {
  const { profile, rpc, pool } = world.scene.world
  await rpc.request('anvil_setBalance', keyOf(name).address, toHex(10n ** 21n))
  const running = await openProvider(settingsOf(world, name))
  const { reader, view } = running.chain
  const address = hexToBytes(pool)
  const {
    winValue: faceValue,
    winsPerSlot,
    bond,
    unit,
    lockDuration,
    refundDelay,
    closeDelay,
  } = profile
  const relayer = createRelayer({
    records: running.store.handOvers,
    transactions: running.store.transactions,
    events: running.store.ledger,
    chain: view,
    lane: running.lane,
    calls: { ...createPoolCalls(address), ...createLeafCalls(address) },
    tryCall: (call, signal) => tryCall(reader, running.lane.account, call, signal),
    readBaseFee: async (signal) => (await reader.freshHead(signal)).baseFee,
    fee: unit,
    coinPrice,
    pool: createPool(nodeTicketCrypto, {
      chainId: 31_337,
      pool: address,
      faceValue,
      winsPerSlot,
      bond,
      unit,
    }),
    lockS: lockDuration,
    refundDelayS: refundDelay,
    closeDelayS: closeDelay,
    batchWaitS,
    nowMs: Date.now,
  })
  const work = async (): Promise<void> => {
    await relayer.look(world.signal)
    await world.mine(1)
    await running.lane.look(world.signal)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { ...running, relayer, work }
}
