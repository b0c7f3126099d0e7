/** The tables of SPEC §11: ranges that are never a destination, and ports, from `packages/protocol/src/policy`. */
import {
  formatCidr,
  HARD_DENIED_PORTS,
  IPV4_DENIED,
  IPV6_DENIED,
  IPV6_GLOBAL,
  PORT_PROFILES,
} from '../../packages/protocol/src/policy/index.ts'
import type { DeniedRange, PortRange } from '../../packages/protocol/src/policy/index.ts'
import type { Finding } from './sources.ts'

/** The tables as SPEC must have them. */
export function renderPolicyTables(): Finding & { readonly text: string } {
  const ranges = [...IPV4_DENIED, ...IPV6_DENIED]
  const rows = [
    ...ranges.map(rangeRow),
    `| all of IPv6 outside \`${formatCidr(IPV6_GLOBAL)}\` | \`not-2000::/3\` |`,
  ]
  const ports = [
    ['`web`', PORT_PROFILES.web],
    ['`reduced`', PORT_PROFILES['tor-reduced']],
    ['never, whatever the profile', HARD_DENIED_PORTS],
  ] as const
  const text = [
    '| range | reason |',
    '|---|---|',
    ...rows,
    '',
    '| ports | TCP |',
    '|---|---|',
    ...ports.map(([name, list]) => `| ${name} | ${list.map(portText).join(', ')} |`),
    '',
  ]
  return { looked: ranges.length + ports.length, faults: [], text: text.join('\n') }
}

function rangeRow({ cidr, reason }: DeniedRange): string {
  return `| \`${formatCidr(cidr)}\` | \`${reason}\` |`
}

function portText([first, last]: PortRange): string {
  return first === last ? `${first}` : `${first}–${last}`
}
