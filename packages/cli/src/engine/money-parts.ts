/** What a paid engine stands on: the purse, the store, the chain. Loaded only in a network with payment, since the chain's library takes its time. */
import { join } from 'node:path'
import {
  createRegistryClient,
  openChain,
  type Chain,
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
import type { EngineSetting } from './engine-options.ts'
import { forgetIfLost, openOwnStore } from './own-store.ts'

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
/** Of the chain's events, which only the books wait for. */
const FOLLOW_MS = 1000

/**
 * Opens all; what was opened is disposed with `parts`.
 * @param onStoreHealth - told when the store's health changes
 * @throws what `assertSetUpServes`, `startSigner`, `openStore` and `openChain` throw
 */
export async function openMoneyParts(
  { home, network, log, passphrase, signal }: EngineSetting,
  payment: PaymentParameters,
  side: 'node' | 'client',
  parts: AsyncDisposableStack,
  onStoreHealth: (health: StoreHealth) => void = () => {},
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
    onStoreHealth(health)
  }
  const store = parts.use(await openOwnStore(home, side, onHealth))
  const onAlert = (alert: EndpointAlert): void => warn(log, alert)
  const chain = openChain({ payment, isLocal, onAlert, followMs: FOLLOW_MS })
  const registry = parts.use(
    createRegistryClient({
      reader: chain.reader,
      payment,
      isLocal,
      cache: registryCache(join(home, `registry-${side}.json`)),
      nowMs: () => Date.now(),
    }),
  )
  await registry.start(signal)
  return { purse, store, chain, isLost, registry }
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
