/** The contracts of a network by their numbers (SPEC §15.9), and what may be asked of each. */
import { toFunctionSelector } from 'viem/utils'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { Hex } from '@byway/protocol/payment'
import { CHAIN_CONTRACT, type ChainContract } from '@byway/protocol/wire'
import { POOL_ABI, PROOFS_ABI, REGISTRY_ABI, TOKEN_ABI } from '../contracts/abi.ts'
import { hexOf } from '../contracts/bytes.ts'

/** Where they are: what the network file says. */
export type ContractPlaces = Pick<PaymentParameters, 'pool' | 'registry' | 'token' | 'proofs'>

/** One network's contracts. Addresses are in lower case. */
export interface NetworkContracts {
  /** Undefined where the network has no such contract. */
  addressOf(contract: ChainContract): Hex | undefined
  /** Those of a question for logs; undefined when one of them is none of the network's. */
  loggedOf(bits: number): readonly Hex[] | undefined
  /** The bits of such addresses; undefined when one of them is none of the network's. */
  bitsOf(addresses: readonly Hex[]): number | undefined
  /** Undefined for an address that is none of the network's. */
  contractAt(address: string): ChainContract | undefined
  /** True for call data of a function that changes nothing. */
  isView(contract: ChainContract, data: Uint8Array): boolean
  /** True for call data of any function of the interface. */
  isFunction(contract: ChainContract, data: Uint8Array): boolean
}

const LOGGED: readonly ChainContract[] = [
  CHAIN_CONTRACT.POOL,
  CHAIN_CONTRACT.REGISTRY,
  CHAIN_CONTRACT.PROOFS,
]

/** Looks them up in the network's parameters. */
export function networkContracts(places: ContractPlaces): NetworkContracts {
  const proofs = places.proofs?.contract
  const addresses = new Map<ChainContract, Hex>([
    [CHAIN_CONTRACT.POOL, hexOf(places.pool)],
    [CHAIN_CONTRACT.REGISTRY, hexOf(places.registry)],
    ...(proofs ? ([[CHAIN_CONTRACT.PROOFS, hexOf(proofs)]] as const) : []),
    [CHAIN_CONTRACT.TOKEN, hexOf(places.token)],
  ])
  const contractAt = (address: string): ChainContract | undefined =>
    [...addresses].find(([, known]) => known === address.toLowerCase())?.[0]
  return {
    contractAt,
    addressOf: (contract) => addresses.get(contract),
    loggedOf: (bits) =>
      whole(LOGGED.filter((one) => (bits & (1 << one)) !== 0).map((one) => addresses.get(one))),
    bitsOf(asked) {
      const found = whole(asked.map(contractAt))
      if (!found?.every((one) => LOGGED.includes(one))) return undefined
      return found.reduce<number>((bits, one) => bits | (1 << one), 0)
    },
    isView: (contract, data) => VIEWS[contract].has(selectorOf(data)),
    isFunction: (contract, data) => FUNCTIONS[contract].has(selectorOf(data)),
  }
}

function whole<Item>(items: readonly (Item | undefined)[]): readonly Item[] | undefined {
  const found = items.filter((item) => item !== undefined)
  return found.length === items.length ? found : undefined
}

const SELECTOR_BYTES = 4

function selectorOf(data: Uint8Array): string {
  return hexOf(data.subarray(0, SELECTOR_BYTES))
}

type Interface = readonly { readonly type: string }[]
type AbiFunction = Extract<(typeof POOL_ABI)[number], { readonly type: 'function' }>

function selectors(abi: Interface, isAllowed: (one: AbiFunction) => boolean): ReadonlySet<string> {
  const functions = abi.filter((one): one is AbiFunction => one.type === 'function')
  return new Set(functions.filter(isAllowed).map((one) => toFunctionSelector(one)))
}

function byContract(isAllowed: (one: AbiFunction) => boolean) {
  return {
    [CHAIN_CONTRACT.POOL]: selectors(POOL_ABI, isAllowed),
    [CHAIN_CONTRACT.REGISTRY]: selectors(REGISTRY_ABI, isAllowed),
    [CHAIN_CONTRACT.PROOFS]: selectors(PROOFS_ABI, isAllowed),
    [CHAIN_CONTRACT.TOKEN]: selectors(TOKEN_ABI, isAllowed),
  }
}

const READ_ONLY: ReadonlySet<string> = new Set(['view', 'pure'])
const VIEWS = byContract(({ stateMutability }) => READ_ONLY.has(stateMutability))
const FUNCTIONS = byContract(() => true)
