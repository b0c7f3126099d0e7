/**
 * A chain of a test's own, and a plain way to call contracts on it: every account may send (anvil impersonates), so that nothing is signed that the test is not about.
 */
import {
  type Abi,
  type Address,
  decodeErrorResult,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  type Hex,
  hexToBytes,
  type Log,
  parseEventLogs,
  toHex,
} from 'viem'
import { startAnvil } from '../../../packages/chain/src/anvil/start-anvil.ts'

/** Enough for any call here, below anvil's block limit; an estimate would cost a round trip. */
const CALL_GAS = toHex(25_000_000)
/** For calls that are only asked: 10^4 draws at once. */
const READ_GAS = toHex(2_000_000_000)
const ZERO_BYTE_GAS = 4
const OTHER_BYTE_GAS = 16
const RICH_WEI = toHex(10n ** 30n)
/** Ends a wait that would never end. */
const POOL_HANG_MS = 30_000

export type Receipt = {
  readonly gasUsed: bigint
  readonly logs: readonly Log[]
  readonly contract: Address | undefined
  /** Of the call's own bytes. */
  readonly inputGas: number
}

/** A call of a contract, not yet sent. */
export type Call = {
  readonly abi: Abi
  readonly to: Address
  readonly name: string
  readonly args: readonly unknown[]
}

/** A call that the contract refused, with the name of its error. */
export class RevertedError extends Error {
  readonly reason: string
  constructor(reason: string, call: string) {
    super(`${call} reverted: ${reason}`)
    this.reason = reason
  }
}

export interface Rpc extends AsyncDisposable {
  /** Where others may ask the same chain. */
  readonly url: string
  request(method: string, ...params: readonly unknown[]): Promise<unknown>
  /** Tries a call without a transaction. */
  read(call: Call, from?: Address): Promise<unknown>
  /** Tries a call in the next block, with another hash for an earlier one. */
  readAfter(blocks: Readonly<Record<number, Hex>>, call: Call): Promise<unknown>
  /** Sends a call and mines it. */
  send(from: Address, call: Call): Promise<Receipt>
  deploy(
    from: Address,
    contract: { readonly abi: Abi; readonly bytecode: Hex },
    args: readonly unknown[],
  ): Promise<Address>
  /** Time of the newest block, seconds. */
  now(): Promise<number>
  /** Moves the clock and mines a block. */
  pass(seconds: number): Promise<void>
  /** Does something and takes it all back, clock included. */
  undoing(act: () => Promise<void>): Promise<void>
  /** Remembers how the chain is; the function takes back all that was done since, once. It rejects where transactions are not mined. */
  remember(): Promise<() => Promise<void>>
}

/** Starts a chain. */
export async function startRpc(): Promise<Rpc> {
  const anvil = await startAnvil({ signal: AbortSignal.timeout(30_000) })
  const request = (method: string, ...params: readonly unknown[]): Promise<unknown> =>
    ask(anvil.url, method, params)
  await request('anvil_autoImpersonateAccount', true)
  const rich = new Set<string>()

  async function transact(from: Address, to: Address | undefined, data: Hex): Promise<Receipt> {
    if (!rich.has(from)) await request('anvil_setBalance', from, RICH_WEI)
    rich.add(from)
    const receipt = (await request('eth_sendTransactionSync', {
      from,
      ...(to ? { to } : {}),
      data,
      gas: CALL_GAS,
    })) as RawReceipt
    if (receipt.status !== '0x1') throw new RevertedError('unknown', 'transaction')
    return {
      gasUsed: BigInt(receipt.gasUsed),
      logs: receipt.logs,
      contract: receipt.contractAddress ?? undefined,
      inputGas: inputGas(data),
    }
  }

  async function tryCall(
    abi: Abi,
    what: string,
    data: Hex,
    from: Address | undefined,
    to?: Address,
    place: readonly unknown[] = ['latest'],
  ): Promise<Hex> {
    const call = { ...(from ? { from } : {}), ...(to ? { to } : {}), data, gas: READ_GAS }
    try {
      return (await request('eth_call', call, ...place)) as Hex
    } catch (error) {
      throw error instanceof RpcError ? new RevertedError(reasonOf(error, abi), what) : error
    }
  }

  async function read(call: Call, from?: Address): Promise<unknown> {
    const result = await tryCall(call.abi, call.name, encode(call), from, call.to)
    return decodeFunctionResult({ abi: call.abi, functionName: call.name, data: result })
  }

  async function remember(): Promise<() => Promise<void>> {
    const [before, snapshot] = [await newestHash(), await request('evm_snapshot')]
    return async () => {
      await untilPoolIsEmpty()
      rich.clear()
      const isBack = await request('evm_revert', snapshot)
      if (isBack !== true || (await newestHash()) !== before)
        throw new Error('the chain did not go back')
    }
  }

  async function newestHash(): Promise<Hex> {
    return ((await request('eth_getBlockByNumber', 'latest', false)) as { hash: Hex }).hash
  }

  /** Anvil gives a receipt before it takes the transaction out of its pool. What is in there while the chain goes back is mined again, with the next one. */
  async function untilPoolIsEmpty(): Promise<void> {
    const deadline = performance.now() + POOL_HANG_MS
    for (;;) {
      const { pending, queued } = (await request('txpool_status')) as Record<string, Hex>
      if (Number(pending) + Number(queued) === 0) return
      if (performance.now() > deadline) throw new Error('a transaction is not mined')
    }
  }

  return {
    url: anvil.url,
    request,
    read,
    async readAfter(blockHash, call) {
      const { abi, name, to } = call
      const place = ['pending', {}, { blockHash }]
      const data = await tryCall(abi, name, encode(call), undefined, to, place)
      return decodeFunctionResult({ abi, functionName: name, data })
    },
    async send(from, call) {
      try {
        return await transact(from, call.to, encode(call))
      } catch (error) {
        await read(call, from)
        throw error
      }
    },
    async deploy(from, { abi, bytecode }, args) {
      const data = encodeDeployData({ abi, bytecode, args })
      await tryCall(abi, 'deployment', data, from)
      const { contract } = await transact(from, undefined, data)
      if (!contract) throw new Error('no contract was made')
      return getAddress(contract)
    },
    async now() {
      const block = (await request('eth_getBlockByNumber', 'latest', false)) as { timestamp: Hex }
      return Number(block.timestamp)
    },
    async pass(seconds) {
      await request('evm_increaseTime', toHex(seconds))
      await request('evm_mine')
    },
    remember,
    async undoing(act) {
      const goBack = await remember()
      try {
        await act()
      } catch (error) {
        await goBack()
        throw error
      }
      await goBack()
    },
    async [Symbol.asyncDispose]() {
      await anvil[Symbol.asyncDispose]()
    },
  }
}

type RawReceipt = {
  readonly status: Hex
  readonly gasUsed: Hex
  readonly logs: readonly Log[]
  readonly contractAddress: Address | null
}

/** Events of one ABI in a receipt, in order. */
export function eventsOf(
  abi: Abi,
  receipt: Receipt,
): readonly { readonly eventName: string; readonly args: Readonly<Record<string, unknown>> }[] {
  return parseEventLogs({ abi, logs: [...receipt.logs] }) as never
}

class RpcError extends Error {
  readonly data: unknown
  constructor(message: string, data: unknown) {
    super(message)
    this.data = data
  }
}

async function ask(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body })
  const answer = (await response.json()) as {
    result?: unknown
    error?: { message: string; data?: unknown }
  }
  if (answer.error) throw new RpcError(answer.error.message, answer.error.data)
  return answer.result
}

/** Gas of call data, by EIP-2028. */
function inputGas(data: Hex): number {
  const bytes = hexToBytes(data)
  const zeros = bytes.filter((byte) => byte === 0).length
  return zeros * ZERO_BYTE_GAS + (bytes.length - zeros) * OTHER_BYTE_GAS
}

function encode({ abi, name, args }: Call): Hex {
  return encodeFunctionData({ abi, functionName: name, args })
}

const decoded = new Set<string>()

/** The names of all errors with which a contract has refused a call in this process. */
export const decodedErrors: ReadonlySet<string> = decoded

/** The name of the contract's error. */
function reasonOf({ data, message }: RpcError, abi: Abi): string {
  if (typeof data !== 'string') return message
  try {
    const { errorName } = decodeErrorResult({ abi, data: data as Hex })
    decoded.add(errorName)
    return errorName
  } catch {
    return `${message} ${data}`
  }
}
