/** A hop that sells and takes tokens, a client that buys and spends them, and disks that survive both. */
import assert from 'node:assert/strict'
import { toHex } from '@byway/protocol/base'
import type { BlindTokenKeyPair, BlindTokenScheme } from '@byway/protocol/crypto'
import { createNodeBlindSigner, nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  createTokenIssuer,
  createTokenKeyring,
  createTokenRedeemer,
  createTokenStock,
  keyDayStartS,
  type BalanceRecords,
  type HeldToken,
  type HeldTokenRecords,
  type SpentTokens,
  type StoredBalance,
  type StoredTokenKey,
  type TokenIssuer,
  type TokenKeyRecords,
  type TokenKeyring,
  type TokenRedeemer,
  type TokenStock,
} from '@byway/protocol/payment'
import { TOKEN_KIND, type BuyMessage, type TokenKind } from '@byway/protocol/wire'
import { seededBytes } from '../crypto/seeded-bytes.ts'

export const BANDWIDTH: 1 = TOKEN_KIND.BANDWIDTH
export const ADMISSION: 2 = TOKEN_KIND.ADMISSION
export const BULK: 3 = TOKEN_KIND.BULK
export const DAY = 86_400_000
export const NODE: Uint8Array = new Uint8Array(32).fill(7)
/** Twelve hours into a day of {@link NODE}'s keys. */
export const NOON: number = 20_000 * DAY + DAY / 2 + 1000 * keyDayStartS(nodeCrypto, NODE)
export const ISSUE_DELAY_MS = 15_000
export const SLOT: Uint8Array = new Uint8Array(32).fill(1)

const made: Promise<BlindTokenKeyPair>[] = []

/** The real scheme, with keys made once a file: the n-th key asked for by a hop is always the n-th of the pool. */
export function pooledScheme(): BlindTokenScheme {
  let next = 0
  return {
    ...nodeBlindTokens,
    generateKeyPair: () => (made[next++] ??= nodeBlindTokens.generateKeyPair()),
  }
}

/** What a hop's disk holds. */
export type HopDisk = {
  readonly keys: TokenKeyRecords & { readonly kept: Map<string, StoredTokenKey> }
  readonly balances: BalanceRecords & { readonly kept: Map<string, StoredBalance> }
  readonly spent: SpentTokens & { readonly kept: Set<string> }
  /** Set: nothing can be written. */
  isFull: boolean
}

export function createHopDisk(): HopDisk {
  const keys = new Map<string, StoredTokenKey>()
  const balances = new Map<string, StoredBalance>()
  const spent = new Set<string>()
  const sold = new Map<string, number>()
  const write = async <T>(run: () => T): Promise<T> => {
    if (disk.isFull) throw new Error('disk full')
    return run()
  }
  const disk: HopDisk = {
    isFull: false,
    keys: {
      kept: keys,
      list: async () => [...keys.values()],
      add: (key) => write(() => void keys.set(toHex(key.keyId), key)),
      remove: (keyId) =>
        write(() => {
          const name = toHex(keyId)
          keys.delete(name)
          const used = [...spent].filter((one) => one.startsWith(name)).length
          return { sold: sold.get(name) ?? 0, spent: used }
        }),
    },
    balances: {
      kept: balances,
      list: async () => [...balances.values()],
      put: (balance, sale) =>
        write(() => {
          balances.set(toHex(balance.nullifier), balance)
          if (!sale) return
          const name = toHex(sale.keyId)
          sold.set(name, (sold.get(name) ?? 0) + sale.count)
        }),
      remove: (nullifier) => write(() => void balances.delete(toHex(nullifier))),
    },
    spent: {
      kept: spent,
      spend: (keyId, nonce) =>
        write(() => {
          const name = `${toHex(keyId)} ${toHex(nonce)}`
          if (spent.has(name)) return 'spent'
          spent.add(name)
          return 'fresh'
        }),
    },
  }
  return disk
}

export type TestHop = AsyncDisposable & {
  readonly keyring: TokenKeyring
  readonly issuer: TokenIssuer
  readonly redeemer: TokenRedeemer
}

/** Starts a hop on a disk; started again on the same disk it is the hop after a restart. */
export async function startHop(
  disk: HopDisk,
  nowMs: number = NOON,
  scheme: BlindTokenScheme = pooledScheme(),
): Promise<TestHop> {
  const hash = nodeCrypto
  const signer = createNodeBlindSigner()
  const keyring = createTokenKeyring({ scheme, hash, records: disk.keys, nodeId: NODE })
  const issueDelayMs = ISSUE_DELAY_MS
  const records = disk.balances
  const issuer = createTokenIssuer({ keyring, signer, hash, records, issueDelayMs })
  const random = seededBytes('hop')
  const redeemer = createTokenRedeemer({ scheme, hash, keyring, spent: disk.spent, random })
  await keyring.rotate(nowMs)
  await issuer.load(nowMs)
  return { keyring, issuer, redeemer, [Symbol.asyncDispose]: () => signer[Symbol.asyncDispose]() }
}

/** What a client's disk holds. */
export type ClientDisk = HeldTokenRecords & { tokens: HeldToken[]; isFull: boolean }

export function createClientDisk(): ClientDisk {
  const disk: ClientDisk = {
    tokens: [],
    isFull: false,
    async add(tokens) {
      if (disk.isFull) throw new Error('disk full')
      disk.tokens.push(...tokens)
    },
    async take(node, kind, limit) {
      const taken = disk.tokens.filter((token) => isOf(token, node, kind)).slice(0, limit)
      disk.tokens = disk.tokens.filter((token) => !taken.includes(token))
      return taken
    },
    giveBack: (tokens) => disk.add(tokens),
    list: async (node, kind) => disk.tokens.filter((token) => isOf(token, node, kind)),
    async forgetAll() {
      const gone = disk.tokens.splice(0)
      return gone.map(({ node, kind }) => ({ node, kind, count: 1 }))
    },
  }
  return disk
}

function isOf(token: HeldToken, node: Uint8Array, kind: number): boolean {
  return token.kind === kind && toHex(token.node) === toHex(node)
}

/** A client's stock on a disk, open for {@link NODE} with the hop's keys. */
export async function startClient(
  disk: ClientDisk,
  hop: TestHop,
  nowMs: number = NOON,
  seed = 'client',
): Promise<TokenStock> {
  const random = seededBytes(seed)
  const stock = createTokenStock({
    scheme: nodeBlindTokens,
    hash: nodeCrypto,
    records: disk,
    random,
  })
  await stock.open(NODE, [BANDWIDTH, ADMISSION, BULK], nowMs)
  const verdict = stock.acceptKeys(NODE, hop.keyring.keysMessage(), hop.keyring.hash(), nowMs)
  assert.equal(verdict, 'ok')
  return stock
}

/** Buys through both machines and checks that it went well. */
export async function buy(
  stock: TokenStock,
  hop: TestHop,
  kind: TokenKind,
  count: number,
  nowMs: number = NOON,
): Promise<void> {
  const message = askFor(stock, kind, count, nowMs)
  hop.issuer.credit(SLOT, count * (kind === BULK ? 32 : 4), nowMs)
  const { message: sold } = await hop.issuer.buy(message, SLOT, 'mine', nowMs)
  const result = await stock.finishPurchase(NODE, sold, nowMs)
  assert.ok(result.type === 'stocked' && result.count === count && result.bad === 0)
}

export function askFor(
  stock: TokenStock,
  kind: TokenKind,
  count: number,
  nowMs: number = NOON,
): BuyMessage {
  const message = stock.startPurchase({ node: NODE, kind, count, units: 0 }, nowMs)
  assert.ok(message)
  return message
}
