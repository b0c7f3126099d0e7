/** What a paid engine stands on: the purse, the store, the chain. Loaded only in a network with payment, since the chain's library takes its time. */
import { join } from 'node:path'
import {
  createRegistryClient,
  openChain,
  type Chain,
  type ChainOptions,
  type EndpointAlert,
  type RegistryCache,
  type RegistryClient,
} from '@byway/chain'
import { readPrivateFile, writePrivateFile } from '@byway/home'
import type { Logger } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { openPurse, startSigner, type Purse } from '@byway/purse'
import type { Store, StoreHealth } from '@byway/store'
import { assertSetUpServes } from '@byway/zk'
import type { ClientChain } from './chain-through.ts'
import type { EngineSetting } from './engine-options.ts'
import { forgetIfLost, openOwnStore } from './own-store.ts'

/** What is opened otherwise than a node's. */
export type MoneySpecials = {
  /** Told when the store's health changes. */
  readonly onStoreHealth?: ((health: StoreHealth) => void) | undefined
  /** Asked instead of the network file's endpoints. */
  readonly chain?: Pick<ClientChain, 'chain' | 'followMs'> | undefined
}

export type MoneyParts = {
  readonly purse: Purse
  readonly store: Store
  readonly chain: Chain
  /** A client's records were here and are gone. */
  readonly isLost: boolean
  /** Who has a stake, in step with the chain. */
  readonly registry: RegistryClient
}

// Local limits (tunable): docs/LIMITS.md.
/** Of the chain's events, which only the books wait for: as often as the registry is, so that one look serves both. */
const FOLLOW_MS = 4000
/** Where somebody looks on. */
const LOCAL_FOLLOW_MS = 1000

/**
 * Opens all; what was opened is disposed with `parts`.
 * @throws what `assertSetUpServes`, `startSigner`, `openStore` and `openChain` throw
 */
export async function openMoneyParts(
  { home, network, log, passphrase, signal }: EngineSetting,
  payment: PaymentParameters,
  side: 'node' | 'client',
  parts: AsyncDisposableStack,
  specials: MoneySpecials = {},
): Promise<MoneyParts> {
  await assertSetUpServes(payment.chainId)
  const { local: isLocal } = network
  const isLost = side === 'client' && (await forgetIfLost(home))
  // Seven programs of one person's test network need no wall between program and key.
  const purse = parts.use(
    isLocal
      ? await openPurse(home, { isLocal, rules: payment })
      : await startSigner(home, {
          isLocal,
          rules: payment,
          passphrase,
          nowMs: () => performance.now(),
        }),
  )
  const onHealth = (health: StoreHealth): void => {
    log.warn('store of money', { state: health, code: HEALTH_CODES[health] })
    specials.onStoreHealth?.(health)
  }
  const store = parts.use(await openOwnStore(home, side, onHealth))
  const chain = specials.chain?.chain ?? openChain(chainOptions({ network, log }, payment))
  const registry = parts.use(
    createRegistryClient({
      reader: chain.reader,
      payment,
      isLocal,
      cache: registryCache(join(home, `registry-${side}.json`)),
      nowMs: () => Date.now(),
      pollMs: specials.chain?.followMs,
    }),
  )
  await registry.start(signal)
  return { purse, store, chain, isLost, registry }
}

/** How the network's chain is opened. */
export function chainOptions(
  { network, log }: Pick<EngineSetting, 'network' | 'log'>,
  payment: PaymentParameters,
): ChainOptions {
  const onAlert = (alert: EndpointAlert): void => warn(log, alert)
  const isLocal = network.local
  return { payment, isLocal, onAlert, followMs: isLocal ? LOCAL_FOLLOW_MS : FOLLOW_MS }
}

/** A view that cannot be read back is read from the chain. */
function registryCache(path: string): RegistryCache {
  return {
    load: async () => await readPrivateFile(path),
    save: async (text) => await writePrivateFile(path, text),
  }
}

/** The errors that writes end with. */
const HEALTH_CODES = { ok: undefined, full: 'STORE_FULL', failed: 'STORE_FAILED' } as const

function warn(log: Logger, alert: EndpointAlert): void {
  switch (alert.type) {
    case 'disagree':
      log.error('endpoints of the chain contradict each other', { code: 'CHAIN_DISAGREE' })
      return
    case 'down':
      log.warn('endpoint of the chain is away', { position: alert.endpoint, reason: alert.fault })
      return
    case 'back':
      log.info('endpoint of the chain is back', { position: alert.endpoint })
  }
}
