/** Public entry of the directory: who is in the network, and which paths through it are allowed. */
export type { AsnRow, BootstrapNode, ExitTarget, NetworkParameters } from './network-parameters.ts'
