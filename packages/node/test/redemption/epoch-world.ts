/** A provider's commitments on a real chain whose clock the test moves. Proofs are those of the test's auditor: the program is another's business. */
import { createProofCalls, createProofsView, type ServiceAnswer } from '@byway/chain'
import { errorBuilder } from '@byway/protocol/base'
import { hexToBytes } from 'viem'
import { uint } from '../../../../contracts/test/kit/bytes.ts'
import type { Key } from '../../../../contracts/test/kit/keys.ts'
import {
  CLAIMED,
  createService,
  samplesOf,
  type Service,
} from '../../../../contracts/test/kit/service.ts'
import type { Opening, Slot } from '../../../../contracts/test/kit/slots.ts'
import { PROFILE } from '../../../../contracts/test/kit/world.ts'
import {
  createEpochKeeper,
  type ServiceAlert,
  type ServiceProver,
} from '../../src/redemption/epoch-keeper.ts'
import type { Redeemers } from '../../src/redemption/redeemers.ts'
import {
  openProvider,
  settingsOf,
  type RedeemingWorld,
  type RunningProvider,
} from './redeeming-world.ts'

/** Held back of a win. */
export const HELD: bigint = PROFILE.winValue / 20n
const MAX_FEE = PROFILE.winValue / 10n

const noProgram = errorBuilder<{ ZK_NOT_MADE: Record<string, never> }>({
  ZK_NOT_MADE: ['local', 'the program is not there'],
})('ZK_NOT_MADE', {})

/** A keeper, what it says and what it was asked. */
export type KeptEpoch = AsyncDisposable & {
  readonly key: Key
  readonly epoch: number
  readonly alerts: readonly ServiceAlert[]
  readonly asked: { readonly commitments: number; readonly proofs: number; readonly root: bigint }
  readonly store: RunningProvider['store']
  setWall(ms: number): void
  restart(): void
  /** Looks at the chain at this time, a few times: what it sends is mined between. */
  at(timeS: number): Promise<void>
  state(): Promise<string>
}

/** What a keeper can do, and who helps it. */
type KeeperSides = {
  readonly canProve?: boolean
  readonly hasReceipts?: boolean
  readonly isProvingLong?: boolean
  readonly redeemers?: (key: Key) => Redeemers
  readonly drawsForAll?: boolean
  /** In the epoch. */
  readonly wins?: number
  /** Coin for gas. */
  readonly wei?: bigint
}

/** A provider that won in an epoch which is over, and its keeper. */
export async function keeperOf(
  world: RedeemingWorld,
  name: string,
  {
    canProve = true,
    hasReceipts = true,
    isProvingLong = false,
    redeemers,
    drawsForAll = false,
    wins = 2,
    wei = 10n ** 20n,
  }: KeeperSides = {},
): Promise<KeptEpoch> {
  const { scene } = world
  const { world: contracts, client } = scene
  const { rpc } = contracts
  const service = createService(scene)
  const key = await scene.provider(name)
  const slots = await scene.slots(`${name} client`, wins)
  await service.until(service.endOf(await service.epoch()))
  const epoch = await service.epoch()
  await scene.bind(
    key,
    slots.map((slot) => [slot, client.winning(slot, key.address, 1)] as const),
  )
  const provider = await openProvider(settingsOf(world, name))
  await rpc.request('anvil_setBalance', key.address, `0x${wei.toString(16)}`)
  const alerts: ServiceAlert[] = []
  const asked = { commitments: 0, proofs: 0, root: 0n }
  const prover: ServiceProver = {
    async commitment() {
      asked.commitments++
      const { root, total, maxUnits } = CLAIMED
      return hasReceipts ? { root: hexToBytes(uint(root, 256)), total, maxUnits } : undefined
    },
    async proof(of, { root }) {
      asked.proofs++
      asked.root = root
      if (!canProve) throw noProgram
      if (isProvingLong) return await new Promise<never>(() => {})
      return answerOf(service, key, of, slots)
    },
  }
  const contract = hexToBytes(contracts.proofs)
  const start = () =>
    createEpochKeeper({
      chain: provider.chain.view,
      proofs: createProofsView(provider.chain.reader, contract),
      calls: createProofCalls(contract),
      lane: provider.lane,
      prover,
      redeemers: redeemers?.(key),
      maxFee: MAX_FEE,
      drawsForAll,
      provider: hexToBytes(key.address),
      epochS: PROFILE.epochDuration,
      random: () => 0,
      wallMs: () => wallMs,
      onAlert: (alert) => alerts.push(alert),
    })
  let keeper = start()
  let wallMs = Number.MAX_SAFE_INTEGER
  return {
    key,
    epoch,
    alerts,
    asked,
    store: provider.store,
    setWall: (ms: number) => void (wallMs = ms),
    restart: () => void (keeper = start()),
    async at(timeS: number) {
      await service.until(timeS)
      for (let look = 0; look < 3; look++) {
        await keeper.look(world.signal)
        await provider.lane.look(world.signal)
        await new Promise(setImmediate)
      }
    },
    state: async () => (await service.commitment(key.address, epoch)).state,
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  }
}

async function answerOf(
  service: Service,
  key: Key,
  epoch: number,
  slots: readonly Slot[],
): Promise<ServiceAnswer> {
  const samples = samplesOf(slots)
  const proof = hexToBytes(await service.proof(key, epoch, samples))
  return { openings: samples.map(bytesOfOpening), proof }
}

function bytesOfOpening({
  root,
  nullifier,
  sessionKey,
  receiptKey,
  proof,
}: Opening): ServiceAnswer['openings'][number] {
  return {
    root: hexToBytes(uint(root, 256)),
    nullifier: hexToBytes(uint(nullifier, 256)),
    sessionKey: hexToBytes(sessionKey),
    receiptKey: hexToBytes(receiptKey),
    proof: hexToBytes(proof),
  }
}
