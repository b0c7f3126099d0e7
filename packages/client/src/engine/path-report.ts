/** What a tunnel says of itself to its user. @module */
import type { PathReport } from './client-types.ts'
import type { ClientTunnelDriver } from './client-tunnel-driver.ts'

/** Tells where it runs and what for. For the user's own eyes: never logged. */
export function reportOf(driver: ClientTunnelDriver): PathReport {
  const hops = driver.path.map(({ key, country, asns }) => ({ nodeId: key, country, asn: asns[0] }))
  const { useCount: streams, rejoins, lastsMs, terms } = driver
  return { hops, streams, terms, rejoins, ...(lastsMs === undefined ? {} : { lastsMs }) }
}
