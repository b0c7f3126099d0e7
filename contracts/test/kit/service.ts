/** Service proofs in tests: an auditor that believes the hash of a statement stands for the program, so that nothing is proved. Written from SPEC §17 alone. */
import assert from 'node:assert/strict'
import { type Address, encodeAbiParameters, type Hex, keccak256 } from 'viem'
import { encodeHeader } from '../../../packages/chain/src/contracts/block-header.ts'
import { echoAuditorArtifact } from '../artifacts/echo-auditor.ts'
import { hash, text, toField, uint } from './bytes.ts'
import type { Key } from './keys.ts'
import type { Receipt } from './rpc.ts'
import type { Scene } from './scene.ts'
import type { Opening, Slot } from './slots.ts'
import { PROOFS, type World } from './world.ts'

/** What a provider says of an epoch. */
export type Claimed = { readonly root: bigint; readonly total: number; readonly maxUnits: number }
export const CLAIMED: Claimed = { root: 4711n, total: 100_000, maxUnits: 2048 }

export const STATES = ['NONE', 'COMMITTED', 'CHALLENGED', 'PROVEN', 'SETTLED', 'FAILED'] as const

/** A commitment as the contract has it. */
export type Commitment = {
  readonly state: (typeof STATES)[number]
  readonly held: bigint
  readonly challenger: Address
}

export interface Service {
  /** The epoch that is now. */
  epoch(): Promise<number>
  /** Mines a block at this time, unless it is over. */
  until(timeS: number): Promise<void>
  endOf(epoch: number): number
  beaconTime(epoch: number): number
  challengeEnd(epoch: number): number
  send(from: Address, name: string, ...args: readonly unknown[]): Promise<Receipt>
  read(name: string, ...args: readonly unknown[]): Promise<unknown>
  commit(provider: Key, epoch: number, claimed?: Partial<Claimed>, fee?: bigint): Promise<Receipt>
  /** What somebody else needs to send it. */
  sign(provider: Key, epoch: number, claimed?: Claimed, fee?: bigint): Hex
  /** By somebody else, for a fee. */
  commitFor(from: Address, provider: Key, epoch: number, fee: bigint): Promise<Receipt>
  /** Headers of the newest block and of the one before. */
  headers(): Promise<readonly [Hex, Hex]>
  /** Goes to the first round and draws. Gives the beacon. */
  draw(epoch: number): Promise<bigint>
  /** A proof that the auditor believes: about this commitment, beacon and slots. */
  proof(provider: Key, epoch: number, openings: readonly Opening[]): Promise<Hex>
  commitment(provider: Address, epoch: number): Promise<Commitment>
}

/** Works the contract of a scene's world. */
export function createService({ world }: Scene): Service {
  const { rpc, profile } = world
  const send: Service['send'] = (from, name, ...args) =>
    rpc.send(from, world.inProofs(name, ...args))
  const read: Service['read'] = (name, ...args) => rpc.read(world.inProofs(name, ...args))
  const endOf = (epoch: number): number => (epoch + 1) * profile.epochDuration
  const beaconTime = (epoch: number): number =>
    endOf(epoch) + PROOFS.commitWindow + PROOFS.beaconDelay
  const challengeEnd = (epoch: number): number =>
    beaconTime(epoch) + PROOFS.beaconRounds * PROOFS.beaconSpacing + PROOFS.challengeWindow
  const until: Service['until'] = async (timeS) => {
    if ((await rpc.now()) >= timeS) return
    await rpc.request('evm_setNextBlockTimestamp', timeS)
    await rpc.request('evm_mine')
  }
  const headers: Service['headers'] = async () => {
    const newest = await rpc.request('eth_getBlockByNumber', 'latest', false)
    const parent = await rpc.request('eth_getBlockByHash', (newest as Parent).parentHash, false)
    return [encodeHeader(newest) ?? assert.fail(), encodeHeader(parent) ?? assert.fail()]
  }
  return {
    send,
    read,
    endOf,
    beaconTime,
    challengeEnd,
    until,
    headers,
    epoch: async () => Math.floor((await rpc.now()) / profile.epochDuration),
    commit: (provider, epoch, claimed, fee = 0n) => {
      const { root, total, maxUnits } = { ...CLAIMED, ...claimed }
      const args = [epoch, root, total, maxUnits, fee, '0x']
      return send(provider.address, 'commit', provider.address, ...args)
    },
    sign: (provider, epoch, claimed = CLAIMED, fee = 0n) =>
      provider.sign(digestOf(world, epoch, claimed, fee)),
    commitFor: (from, provider, epoch, fee) => {
      const { root, total, maxUnits } = CLAIMED
      const signature = provider.sign(digestOf(world, epoch, CLAIMED, fee))
      const args = [epoch, root, total, maxUnits, fee, signature]
      return send(from, 'commit', provider.address, ...args)
    },
    async draw(epoch) {
      await until(beaconTime(epoch))
      await send(world.pool, 'draw', epoch, ...(await headers()))
      return (await read('beacon', epoch)) as bigint
    },
    async proof(provider, epoch, openings) {
      const { root, total, maxUnits } = (await read(
        'commitment',
        provider.address,
        epoch,
      )) as Claimed
      const beacon = (await read('beacon', epoch)) as bigint
      const statement = {
        receiptKeys: openings.map(({ receiptKey }) => BigInt(receiptKey)),
        provider: provider.address,
        epoch: BigInt(epoch),
        root,
        total: BigInt(total),
        maxUnits: BigInt(maxUnits),
        beacon,
        nullifiers: openings.map(({ nullifier }) => nullifier),
      }
      const [verify] = echoAuditorArtifact.abi
      const encoded = encodeAbiParameters([verify.inputs[0]], [statement as never])
      return keccak256(encoded)
    },
    async commitment(provider, epoch) {
      const raw = (await read('commitment', provider, epoch)) as Omit<Commitment, 'state'> & {
        readonly state: number
      }
      return { ...raw, state: STATES[raw.state] ?? assert.fail() }
    },
  }
}

type Parent = { readonly parentHash: Hex }

/** Twelve samples that fall on these slots. */
export function samplesOf(slots: readonly Slot[]): readonly Opening[] {
  return Array.from({ length: 12 }, (_, m) => slots[m % slots.length]?.opening ?? assert.fail())
}

function digestOf(
  { proofs }: World,
  epoch: number,
  { root, total, maxUnits }: Claimed,
  fee: bigint,
): Hex {
  return hash(
    text('byway service v1'),
    uint(31_337, 256),
    proofs,
    uint(epoch, 32),
    uint(root, 256),
    uint(total, 48),
    uint(maxUnits, 48),
    uint(fee, 96),
  )
}

/** What the contract makes of a block's randomness. */
export function beaconOf({ proofs }: World, epoch: number, random: Hex): bigint {
  return toField(hash(text('byway beacon v1'), uint(31_337, 256), proofs, uint(epoch, 32), random))
}
