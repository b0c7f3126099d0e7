/** What can go wrong with a network on one machine. No context holds a target or a path. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type TestnetErrors = {
  /** A network cannot be made of so few or so many nodes. */
  TESTNET_SIZE: { nodes: number; least: number; most: number }
  /** This machine cannot make a network behind routers: `hint` says what is missing. */
  TESTNET_NAT_UNAVAILABLE: { hint: string }
  /** A process of the network ended by itself, before or after it was ready; what it wrote last is in `hint`. */
  TESTNET_PROCESS_ENDED: { who: string; status: string; hint: string }
  /** The network did not come up in time: the machine is too busy, or a process hangs. */
  TESTNET_TIMEOUT: { waitedFor: string; timeoutMs: number }
}

export type TestnetError = ErrorOf<TestnetErrors>

export const testnetError: ErrorBuilder<TestnetErrors> = errorBuilder<TestnetErrors>({
  TESTNET_SIZE: ['config', 'a network cannot have that many nodes'],
  TESTNET_NAT_UNAVAILABLE: ['local', 'this machine cannot make a network behind routers'],
  TESTNET_PROCESS_ENDED: ['local', 'a process of the network ended by itself'],
  TESTNET_TIMEOUT: ['local', 'the network did not come up in time'],
})
