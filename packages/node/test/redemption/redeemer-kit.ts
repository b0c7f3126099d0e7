/** A redeemer with gas of its own, on the contracts of a test's world. */
import { createPoolCalls, createProofCalls, tryCall } from '@byway/chain'
import { hexToBytes, toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import {
  createRedeemerService,
  type RedeemerService,
} from '../../src/redemption/redeemer-service.ts'
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

/** Opens its store and takes up what an earlier run has kept. */
export async function openRedeemer(
  world: RedeemingWorld,
  name: string,
  coinPrice: bigint = 10n ** 18n,
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
    calls: {
      ...createPoolCalls(hexToBytes(pool)),
      proofs: createProofCalls(hexToBytes(proofs)),
    },
    tryCall: (call, signal) => tryCall(reader, running.lane.account, call, signal),
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
