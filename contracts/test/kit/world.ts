/** All contracts on a chain of their own, as `byway deploy` would place them, with short delays. */
import {
  bywayPoolArtifact,
  bywayRegistryArtifact,
  bywayTokenArtifact,
  linkArtifact,
  poseidonT2Artifact,
  poseidonT3Artifact,
  poseidonT4Artifact,
  serviceProofsArtifact,
} from '@byway/chain'
import { unsafePlainAuthoriserArtifact } from '../artifacts/unsafe-plain-authoriser.ts'
import { type Abi, type Address, getContractAddress, type Hex } from 'viem'
import { echoAuditorArtifact } from '../artifacts/echo-auditor.ts'
import { type Call, type Receipt, type Rpc, startRpc } from './rpc.ts'

export const DEPLOYER: Address = '0xDE00000000000000000000000000000000000001'
export const BURN: Address = '0x000000000000000000000000000000000000dEaD'

/** One token, in its smallest parts. */
export const TOKEN = 1_000_000_000_000_000_000n

/** What the pool is deployed with, apart from addresses. */
export type Profile = {
  readonly winValue: bigint
  readonly winsPerSlot: number
  readonly bond: bigint
  /** What leaves and fees count in. */
  readonly unit: bigint
  readonly lockPenalty: bigint
  readonly feeBps: number
  readonly holdBps: number
  readonly epochDuration: number
  readonly treeDepth: number
  readonly snapshotInterval: number
  readonly lockDuration: number
  readonly refundDelay: number
  readonly closeDelay: number
}

/** The profile of DESIGN §7, with leaves that count whole bonds: a slot is five units. */
export const PROFILE: Profile = {
  winValue: TOKEN / 10n,
  winsPerSlot: 2,
  bond: TOKEN / 20n,
  unit: TOKEN / 20n,
  lockPenalty: TOKEN / 100n,
  feeBps: 500,
  holdBps: 500,
  epochDuration: 7 * 24 * 3600,
  treeDepth: 26,
  snapshotInterval: 1,
  lockDuration: 3600,
  refundDelay: 12 * 3600,
  closeDelay: 72 * 3600,
}

/** Of `PROFILE`, in units and in tokens. */
export const UNITS_PER_SLOT = 5
export const SLOT: bigint = (5n * TOKEN) / 20n

/** S/u. */
export function unitsPerSlotOf({ winValue, winsPerSlot, bond, unit }: Profile): number {
  return Number((winValue * BigInt(winsPerSlot) + bond) / unit)
}

export type Stakes = {
  readonly minStake: bigint
  readonly unbondingDelay: number
  readonly payoutDelay: number
}

export const STAKES: Stakes = {
  minStake: 50n * TOKEN,
  unbondingDelay: 7 * 24 * 3600,
  payoutDelay: 3 * 24 * 3600,
}

/** When a commitment is made, drawn for, challenged and answered. */
export const PROOFS: {
  readonly commitWindow: number
  readonly beaconDelay: number
  readonly beaconSpacing: number
  readonly beaconRounds: number
  readonly challengeWindow: number
  readonly answerWindow: number
  readonly challengeBond: bigint
} = {
  commitWindow: 24 * 3600,
  beaconDelay: 3600,
  beaconSpacing: 3600,
  beaconRounds: 4,
  challengeWindow: 48 * 3600,
  answerWindow: 48 * 3600,
  challengeBond: TOKEN,
}

export interface World extends AsyncDisposable {
  readonly rpc: Rpc
  readonly profile: Profile
  readonly token: Address
  readonly registry: Address
  readonly pool: Address
  readonly authoriser: Address
  readonly proofs: Address
  readonly auditor: Address
  readonly libraries: Readonly<Record<string, Address>>
  /** Calls of each contract, to send or to read. */
  inPool(name: string, ...args: readonly unknown[]): Call
  inRegistry(name: string, ...args: readonly unknown[]): Call
  inToken(name: string, ...args: readonly unknown[]): Call
  inProofs(name: string, ...args: readonly unknown[]): Call
  inAuthoriser(name: string, ...args: readonly unknown[]): Call
  balance(account: Address): Promise<bigint>
  /** Gives test money to an account and lets the contracts take it. */
  fund(account: Address, amount: bigint): Promise<void>
  sendPool(from: Address, name: string, ...args: readonly unknown[]): Promise<Receipt>
  readPool(name: string, ...args: readonly unknown[]): Promise<unknown>
}

/** Deploys everything. `authoriser` and `auditor` replace the plain ones. */
export async function startWorld(
  options: {
    readonly profile?: Partial<Profile>
    readonly auditor?: { readonly abi: Abi; readonly bytecode: Hex }
    readonly authoriser?: {
      readonly abi: Abi
      readonly bytecode: Hex
      readonly args?: readonly unknown[]
    }
  } = {},
): Promise<World> {
  const rpc = await startRpc()
  try {
    return await deployWorld(rpc, options)
  } catch (error) {
    await rpc[Symbol.asyncDispose]()
    throw error
  }
}

async function deployWorld(
  rpc: Rpc,
  options: Parameters<typeof startWorld>[0] & object,
): Promise<World> {
  const profile: Profile = { ...PROFILE, ...options.profile }
  const libraries: Record<string, Address> = {}
  for (const library of [poseidonT2Artifact, poseidonT3Artifact, poseidonT4Artifact])
    libraries[library.name] = await rpc.deploy(DEPLOYER, library, [])
  const token = await rpc.deploy(DEPLOYER, bywayTokenArtifact, [])
  const { winValue, winsPerSlot, bond, unit } = profile
  const authoriser = options.authoriser
    ? await rpc.deploy(DEPLOYER, options.authoriser, options.authoriser.args ?? [])
    : await rpc.deploy(DEPLOYER, linked(unsafePlainAuthoriserArtifact, libraries), [
        winValue,
        winsPerSlot,
        bond,
        unit,
      ])
  const auditor = await rpc.deploy(DEPLOYER, options.auditor ?? echoAuditorArtifact, [])
  const pool = await nextContract(rpc, 1)
  const proofs = await nextContract(rpc, 2)
  const registry = await rpc.deploy(DEPLOYER, bywayRegistryArtifact, [
    token,
    pool,
    proofs,
    STAKES.minStake,
    STAKES.unbondingDelay,
    STAKES.payoutDelay,
  ])
  await rpc.deploy(DEPLOYER, linked(bywayPoolArtifact, libraries), [
    { token, registry, authoriser, proofs, ...profile },
  ])
  await rpc.deploy(DEPLOYER, serviceProofsArtifact, [{ pool, auditor, ...PROOFS }])
  const call =
    (abi: Abi, to: Address) =>
    (name: string, ...args: readonly unknown[]): Call => ({ abi, to, name, args })
  const inPool = call(bywayPoolArtifact.abi, pool)
  const inToken = call(bywayTokenArtifact.abi, token)
  return {
    rpc,
    profile,
    token,
    registry,
    pool,
    authoriser,
    proofs,
    auditor,
    libraries,
    inPool,
    inRegistry: call(bywayRegistryArtifact.abi, registry),
    inToken,
    inProofs: call(serviceProofsArtifact.abi, proofs),
    inAuthoriser: call(unsafePlainAuthoriserArtifact.abi, authoriser),
    balance: async (account) => (await rpc.read(inToken('balanceOf', account))) as bigint,
    async fund(account, amount) {
      await rpc.send(DEPLOYER, inToken('mint', account, amount))
      for (const spender of [pool, registry, proofs])
        await rpc.send(account, inToken('approve', spender, 2n ** 256n - 1n))
    },
    sendPool: (from, name, ...args) => rpc.send(from, inPool(name, ...args)),
    readPool: (name, ...args) => rpc.read(inPool(name, ...args)),
    [Symbol.asyncDispose]: () => rpc[Symbol.asyncDispose](),
  }
}

/** The address of the contract that the deployer makes after `skip` others. */
export async function nextContract(rpc: Rpc, skip: number): Promise<Address> {
  const nonce = BigInt((await rpc.request('eth_getTransactionCount', DEPLOYER, 'latest')) as Hex)
  return getContractAddress({ from: DEPLOYER, nonce: nonce + BigInt(skip) })
}

/** A contract with its libraries' addresses in place. */
export function linked(
  artifact: Parameters<typeof linkArtifact>[0] & { readonly abi: Abi },
  libraries: Readonly<Record<string, Address>>,
): { readonly abi: Abi; readonly bytecode: Hex } {
  return { abi: artifact.abi, bytecode: linkArtifact(artifact, libraries) }
}
