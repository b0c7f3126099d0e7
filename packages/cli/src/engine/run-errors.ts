/** What stops an engine from running, as far as the engines themselves do not say it. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type RunErrors = {
  /** No client stands yet that could ask a node what the chain says. */
  RUN_CHAIN_SEAT: Record<string, never>
  /** The program has not opened its money yet. */
  RUN_STARTING: Record<string, never>
  /** The node says in `byway status` what it needs and what to do. */
  RUN_ALERTS: { alerts: number }
  /** Another program listens at the proxy's port: stop it, or choose another with `--port`. */
  RUN_PORT_TAKEN: { port: number }
  /** One hop hides nothing from the exit: only a network on one machine, for measuring, may be used that way. */
  RUN_SINGLE_HOP: Record<string, never>
  /** The file with the store's key holds no key: restore it from a copy of the state folder, or the records cannot be trusted. */
  RUN_STORE_KEY: { side: string }
}

export type RunError = ErrorOf<RunErrors>

export const runError: ErrorBuilder<RunErrors> = errorBuilder<RunErrors>({
  RUN_CHAIN_SEAT: ['network', 'no node can be asked about the chain yet'],
  RUN_STARTING: ['local', 'the program has not opened its money yet'],
  RUN_ALERTS: ['payment', 'the node needs its operator: see the lines above'],
  RUN_PORT_TAKEN: ['local', "the proxy's port is taken"],
  RUN_SINGLE_HOP: ['config', 'one hop is for local networks only'],
  RUN_STORE_KEY: ['local', "the key of the store's records is damaged"],
})
