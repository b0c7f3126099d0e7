/** Public entry: a whole network on one machine, in this process for tests or as processes of their own. */
export { type DemoOrigin, DOWNLOAD_PATH, startDemoOrigin } from './demo-origin.ts'
export { type TestnetError, testnetError } from './errors.ts'
export {
  type Testnet,
  testnet,
  type TestnetNode,
  type TestnetOptions,
  type TestnetPayment,
} from './in-process.ts'
export {
  DEFAULT_NODES,
  LEAST_NAT_NODES,
  LEAST_NODES,
  MOST_NODES,
  type NetworkPlan,
  type NodePlan,
  planNetwork,
  type PlanOptions,
  withBootstrap,
} from './plan.ts'
export { type ProcessNetwork, startProcesses } from './processes.ts'
export { type ProcessDeps, type ProcessOptions } from './process-options.ts'
export type { ProgramEvent } from './program.ts'
export type { NodeProcess } from './start-nodes.ts'
export { listenAsTarget, mayBeTargetPort } from './target-port.ts'
