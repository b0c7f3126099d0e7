/** A real anvil for one test, with what its developers' methods can do to it. */
import type { Hex, TransactionSigner } from '@byway/protocol/payment'
import { startAnvil, type AnvilOptions } from '../../src/anvil/start-anvil.ts'
import { createChainReader, type ChainReader } from '../../src/chain-reader.ts'
import { createLocalSigner } from '../../src/lane/local-signer.ts'
import { createRpcEndpoint } from '../../src/rpc/endpoint.ts'
import { createQuorum, type EndpointAlert } from '../../src/rpc/quorum.ts'

export const CHAIN_ID = 31_337
/** Keys of accounts that anvil funds: those of its public test mnemonic. */
export const KEYS: readonly Uint8Array[] = [
  'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
].map((hex) => Buffer.from(hex, 'hex'))

export const signerOf = (index: number): TransactionSigner =>
  createLocalSigner(KEYS[index] ?? Buffer.alloc(32))

/** A test, or what several share: when to stop, and what to do after the last. */
export type TestScope = {
  readonly signal: AbortSignal
  readonly after: (end: () => unknown) => void
}

export type TestChain = {
  readonly url: string
  readonly signal: AbortSignal
  /** Asks anvil, past all that is tested. */
  rpc(method: string, ...params: readonly unknown[]): Promise<unknown>
  /** Makes blocks. */
  mine(blocks: number): Promise<void>
}

export async function startTestChain(
  t: TestScope,
  options: Omit<AnvilOptions, 'signal'> = {},
): Promise<TestChain> {
  const { signal } = t
  const anvil = await startAnvil({ ...options, signal })
  t.after(() => anvil[Symbol.asyncDispose]())
  const rpc: TestChain['rpc'] = async (method, ...params) => {
    const response = await fetch(anvil.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const body = (await response.json()) as { result?: unknown; error?: { message: string } }
    if (body.error) throw new Error(`${method}: ${body.error.message}`)
    return body.result
  }
  const mine = async (blocks: number): Promise<void> => {
    await rpc('anvil_mine', `0x${blocks.toString(16)}`)
  }
  return { url: anvil.url, signal, rpc, mine }
}

export type TestReader = { readonly reader: ChainReader; readonly alerts: readonly EndpointAlert[] }

/** A reader that always looks anew. */
export function readerOf(
  urls: readonly string[],
  options: {
    readonly isLocal?: boolean
    readonly timeoutMs?: number
    readonly nowMs?: () => number
  } = {},
): TestReader {
  const { isLocal = urls.length === 1, timeoutMs, nowMs = () => performance.now() } = options
  const alerts: EndpointAlert[] = []
  const quorum = createQuorum({
    endpoints: urls.map((url) => createRpcEndpoint({ url, timeoutMs, nowMs })),
    chainId: CHAIN_ID,
    isLocal,
    onAlert: (alert) => alerts.push(alert),
  })
  return { reader: createChainReader({ quorum, nowMs, pollMs: 0 }), alerts }
}

export const hexNumber = (value: number | bigint): Hex => `0x${value.toString(16)}`
