/**
 * Onion circuits as step machines: building, layers, flow control, tunnels and streams (SPEC §5–§9). No I/O, no clock, no
 * randomness: the drivers in `client` and `node` bring them.
 * @module
 */
export { createAccountant } from './accountant.ts'
export type { Account, Accountant, TrimmableCache } from './accountant.ts'
export { createControlClient, createControlHop } from './control-end.ts'
export type {
  ControlClient,
  ControlClientHandler,
  ControlHop,
  ControlHopHandler,
} from './control-end.ts'
export { createdCell, destroyCell } from './create-cell.ts'
export { createClientTunnel } from './client-tunnel.ts'
export type { ClientTunnel, ClientTunnelOptions } from './client-tunnel.ts'
export { createExitTunnels } from './exit-tunnel.ts'
export type {
  ExitTunnel,
  ExitTunnelDriver,
  ExitTunnels,
  ExitTunnelsOptions,
  FirstCellResult,
} from './exit-tunnel.ts'
export { createHopBuild } from './hop-build.ts'
export type {
  HopAnswer,
  HopBuild,
  HopBuildOptions,
  HopCircuit,
  HopExtension,
  LinkRole,
} from './hop-build.ts'
export { createHopLayers } from './hop-layers.ts'
export type { ForwardResult, HopLayers, HopLayersOptions } from './hop-layers.ts'
export type { HopKeys } from './layer-keys.ts'
export { createExitLeg, createOriginLeg, preferredSizeClass } from './leg.ts'
export type { Leg, LegLink, LegOptions } from './leg.ts'
export { createOnionKeys } from './onion-keys.ts'
export type { OnionKey, OnionKeys, OnionKeysOptions } from './onion-keys.ts'
export { DEADLINES_MS, startOriginBuild } from './origin-build.ts'
export type { HopSpec, OriginBuild, OriginBuildOptions, OriginBuildResult } from './origin-build.ts'
export { createOriginLayers } from './origin-layers.ts'
export type { OriginLayers, OriginLayersOptions } from './origin-layers.ts'
export { createOrphans, MAX_ORPHANS, ORPHAN_WAIT_MS } from './orphans.ts'
export type { OrphanLimits, Orphans } from './orphans.ts'
export { isControlList, takePayList } from './pay-cells.ts'
export type { LegFault, TunnelEnd } from './tunnel-end.ts'
export type {
  ClientTunnelHandler,
  ConnectRequest,
  ExitTunnelHandler,
  ResolveAnswer,
  TunnelHandler,
} from './tunnel-state.ts'
export type { RandomBytes } from './window.ts'
