/** The contracts' state through a reader: what to call, and how to read the answer. */
import { decodeFunctionResult, encodeFunctionData } from 'viem/utils'
import { equalBytes } from '@byway/protocol/base'
import type { Hex, PublishedRoot, Registration } from '@byway/protocol/payment'
import { createBindReader } from './bind-reader.ts'
import type { ChainReader } from './chain-reader.ts'
import type { ChainView } from './chain-view.ts'
import { bytesOf, hexOf, numberOf, wordOf } from './contracts/bytes.ts'
import { decodeEvent } from './contracts/events.ts'
import { POOL_ABI, REGISTRY_ABI, TOKEN_ABI } from './contracts/abi.ts'
import { decodeSlotWord } from './contracts/slot-word.ts'
import { chainError } from './errors.ts'
import { followEvents } from './follow-events.ts'
import { createLeafReader } from './leaf-reader.ts'
import { createPaidReader } from './won-events.ts'

export type ViewOptions = {
  readonly reader: ChainReader
  readonly chainId: number
  readonly pool: Uint8Array
  readonly registry: Uint8Array
  readonly token: Uint8Array
  readonly proofs?: { readonly contract?: Uint8Array | undefined } | undefined
  readonly deployBlock: number
  readonly pollMs: number
}

type Call = (to: Hex, data: Hex, signal: AbortSignal) => Promise<Hex>

/** Creates the view. */
export function createChainView(options: ViewOptions): ChainView {
  const { reader, pollMs } = options
  const { contract } = options.proofs ?? {}
  const sources = {
    pool: hexOf(options.pool),
    registry: hexOf(options.registry),
    proofs: contract && hexOf(contract),
  }
  const call: Call = async (to, data, signal) =>
    reader.call(to, data, await reader.head(signal), signal)
  return {
    chainId: options.chainId,
    ...poolReads(call, sources.pool),
    ...tokenReads(call, hexOf(options.token)),
    async head(signal) {
      const { number, hash, timeS } = await reader.head(signal)
      return { number, hash, timeS }
    },
    leaves: createLeafReader(reader, sources, options.deployBlock),
    registration: (provider, signal) =>
      readRegistration(reader, sources.registry, provider, signal),
    gasBalance: async (account, signal) =>
      reader.balance(hexOf(account), await reader.head(signal), signal),
    async eventsOf(transaction, signal) {
      const receipt = await reader.receipt(transaction, signal)
      return receipt?.logs
        .map((log) => decodeEvent(log, sources))
        .filter((event) => event !== undefined)
    },
    bindOf: createBindReader({ reader, sources, deployBlock: options.deployBlock }),
    paidFor: createPaidReader({ reader, sources, deployBlock: options.deployBlock }),
    async senderOf(transaction, signal) {
      const receipt = await reader.receipt(transaction, signal)
      return receipt && bytesOf(receipt.from)
    },
    events: (fromBlock, signal) => followEvents({ reader, sources, pollMs, fromBlock, signal }),
  }
}

function poolReads(
  call: Call,
  pool: Hex,
): Pick<ChainView, 'slot' | 'publishedRoot' | 'newestRoot' | 'credit' | 'held'> {
  const abi = POOL_ABI
  const published = async (
    root: bigint,
    signal: AbortSignal,
  ): Promise<PublishedRoot | undefined> => {
    const functionName = 'rootTimes'
    const data = await call(pool, encodeFunctionData({ abi, functionName, args: [root] }), signal)
    const [publishedAtS, supersededAtS] = decodeFunctionResult({ abi, functionName, data })
    if (publishedAtS === 0) return undefined
    return { root: wordOf(root), publishedAtS, supersededAtS: supersededAtS || undefined }
  }
  return {
    async slot(nullifier, signal) {
      const data = encodeFunctionData({ abi, functionName: 'slot', args: [numberOf(nullifier)] })
      const word = decodeSlotWord(BigInt(await call(pool, data, signal)))
      if (!word) throw chainError('CHAIN_CONTRACT', { what: 'slot' })
      return word
    },
    publishedRoot: (root, signal) => published(numberOf(root), signal),
    async newestRoot(signal) {
      const data = encodeFunctionData({ abi, functionName: 'newestRoot' })
      const root = BigInt(await call(pool, data, signal))
      return root === 0n ? undefined : published(root, signal)
    },
    async held(provider, signal) {
      const functionName = 'held'
      const args = [hexOf(provider)] as const
      const data = await call(pool, encodeFunctionData({ abi, functionName, args }), signal)
      const [due, open, lost] = decodeFunctionResult({ abi, functionName, data })
      return { due, open, lost }
    },
    async credit(provider, signal) {
      const data = encodeFunctionData({ abi, functionName: 'credit', args: [hexOf(provider)] })
      return BigInt(await call(pool, data, signal))
    },
  }
}

function tokenReads(call: Call, token: Hex): Pick<ChainView, 'tokenBalance' | 'tokenAllowance'> {
  const abi = TOKEN_ABI
  return {
    async tokenBalance(account, signal) {
      const data = encodeFunctionData({ abi, functionName: 'balanceOf', args: [hexOf(account)] })
      return BigInt(await call(token, data, signal))
    },
    async tokenAllowance(owner, spender, signal) {
      const args = [hexOf(owner), hexOf(spender)] as const
      const data = encodeFunctionData({ abi, functionName: 'allowance', args })
      return BigInt(await call(token, data, signal))
    },
  }
}

async function readRegistration(
  reader: ChainReader,
  registry: Hex,
  provider: Uint8Array,
  signal: AbortSignal,
): Promise<Registration | undefined> {
  const at = await reader.head(signal)
  const args = [hexOf(provider)] as const
  const ask = (functionName: 'node' | 'payoutOf' | 'isActive') =>
    reader.call(registry, encodeFunctionData({ abi: REGISTRY_ABI, functionName, args }), at, signal)
  const answers = await Promise.all([ask('node'), ask('payoutOf'), ask('isActive')])
  const [node, payout, isActive] = answers
  const { owner, nodeId, stake, unbondedAt, nextPayout, nextPayoutFrom } = decodeFunctionResult({
    abi: REGISTRY_ABI,
    functionName: 'node',
    data: node,
  })
  if (BigInt(owner) === 0n) return undefined
  const to = bytesOf(nextPayout.toLowerCase())
  const present = bytesOf(`0x${payout.slice(-40)}`)
  // One that has taken effect stands there until the next.
  const isWaiting = BigInt(nextPayout) !== 0n && !equalBytes(to, present)
  return {
    provider,
    nodeId: bytesOf(nodeId),
    payout: present,
    nextPayout: isWaiting ? { to, fromS: nextPayoutFrom } : undefined,
    stake,
    stakeFreeS: unbondedAt === 0 ? undefined : unbondedAt,
    isActive: BigInt(isActive) === 1n,
  }
}
