/** How a node is reached, in words, and what its operator can do about it. */
import type { ReachStatus } from '@byway/node'
import { REACH_RESULT } from '@byway/protocol/wire'
import type { ReachResult } from '@byway/protocol/wire'

/** Address and port as a user would write them. */
export function placeText({
  host,
  port,
}: {
  readonly host: string
  readonly port: number
}): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** One sentence or two; `port` is where the node listens. */
export function reachText(status: ReachStatus, port: number | undefined): string {
  switch (status.state) {
    case 'public':
      return `${trialsText(status.trials)} reached it${mappedText(status)}`
    case 'claimed':
      return 'nobody has tried its address yet'
    case 'attached':
      return `reached through relays${attachedText(status, port)}`
    case 'unreachable':
      return `reached through relays, since others did not reach its address: ${remedy(commonest(status.trials))}`
  }
}

function mappedText({ mappedBy }: ReachStatus): string {
  if (mappedBy === undefined) return ''
  return `, at a port that your router opened (${PROTOCOLS[mappedBy]})`
}

const PROTOCOLS = { upnp: 'UPnP', 'nat-pmp': 'NAT-PMP', pcp: 'PCP' } as const

function attachedText({ mappedBy, trials }: ReachStatus, port: number | undefined): string {
  if (port === undefined) return ''
  if (mappedBy === undefined)
    return `: your router opened no port. To be a public relay, turn on UPnP or NAT-PMP there, or forward TCP port ${port} to this host and name the address with --listen`
  if (trials.length === 0) return ': your router opened a port, and nobody could try it yet'
  return ': your router opened a port, but others do not reach it. Perhaps the provider shares one address among several homes (CGNAT)'
}

function trialsText(trials: readonly ReachResult[]): string {
  const reached = trials.filter((result) => result === REACH_RESULT.REACHED).length
  return `${reached} of ${trials.length} nodes that tried`
}

/** What most of those found that did not reach it. */
function commonest(trials: readonly ReachResult[]): ReachResult {
  const failed = trials.filter((result) => FAILURES.includes(result))
  const count = (result: ReachResult): number => failed.filter((one) => one === result).length
  return FAILURES.toSorted((one, other) => count(other) - count(one))[0] ?? REACH_RESULT.SILENT
}

const FAILURES: readonly ReachResult[] = [
  REACH_RESULT.SILENT,
  REACH_RESULT.REFUSED,
  REACH_RESULT.STRANGER,
]

function remedy(result: ReachResult): string {
  if (result === REACH_RESULT.REFUSED)
    return 'the connection is refused there. See that the router forwards the port to this host, and to the port where the node listens'
  if (result === REACH_RESULT.STRANGER)
    return 'something else answers there. See that the port is forwarded to this host and that no other program has it'
  return 'nothing answers there. Let the firewall pass the port, and forward it to this host on the router'
}
