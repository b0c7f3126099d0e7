/** What a network of processes is made of. @module */
import type { ExitTarget, NetworkParameters } from '@byway/protocol/directory'
import type { LocalMoneyOptions } from './money/local-money.ts'
import type { ProgramEvent } from './program.ts'

/** What this needs of the program around it. */
export type ProcessDeps = {
  /** How to run `byway`: executable and arguments before the command. */
  readonly program: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes a network file, with all beside it that members ask for. */
  readonly writeNetwork: (path: string, network: NetworkParameters) => Promise<void>
  /** Asks the program that runs with a state folder for its status. */
  readonly askStatus: (home: string, program: 'client' | 'node') => Promise<ProgramEvent>
}

export type ProcessOptions = {
  /** @default 6 */
  readonly nodes?: number | undefined
  /** @default 2 */
  readonly hops?: 1 | 2 | 3 | undefined
  /** Loopback origins that the exits may reach. @default none */
  readonly exitTargets?: readonly ExitTarget[] | undefined
  /** True: with a chain of its own, on which every MiB is paid. @default true */
  readonly isPaid?: boolean | undefined
  /** True: each node in a network namespace of its own, half of them behind routers. Needs root on Linux. @default false */
  readonly hasRouters?: boolean | undefined
  /** What a unit costs at every node, 0 (free) to 8. @default as `byway node` has it */
  readonly priceStep?: number | undefined
  /** So many exits take the class collect beside browse. @default 0 */
  readonly collectors?: number | undefined
  /** Price step of that class, not below `priceStep`. @default the same */
  readonly collectPrice?: number | undefined
  /** Of an epoch of service proofs, seconds: who wants to see them made does not wait for long. @default half an hour */
  readonly epochS?: number | undefined
  /** Wins that a slot pays for, 1 to 255. @default 2 */
  readonly winsPerSlot?: number | undefined
  /** Of the pool, seconds. @default a minute or two each */
  readonly delays?: LocalMoneyOptions['delays']
  /** The last so many nodes have no coin for gas: redeemers send their claims. @default 1 */
  readonly nodesWithoutGas?: number | undefined
  /** Numbers of nodes, from 1, whose stakes one account has put down: no circuit has two of them. @default each has an owner of its own */
  readonly oneOwner?: readonly number[] | undefined
  /** Of the proxy on 127.0.0.1; 0 lets the system choose. @default 0 */
  readonly proxyPort?: number | undefined
  /** The nodes run, and the client has proved so many of its first slots. */
  readonly onProving?: ((proved: number, wanted: number) => void) | undefined
  /** Told what the client says about its paths. */
  readonly onPath?: ((event: ProgramEvent) => void) | undefined
  /** A node has ended by itself. The network goes on without it. */
  readonly onNodeEnded?: ((id: string) => void) | undefined
  readonly signal: AbortSignal
}
