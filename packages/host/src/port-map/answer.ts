/** What the short-lived process that talks to the router says, as one line of JSON. @module */
import { isIPv4 } from 'node:net'

export type PortMapProtocol = (typeof PROTOCOLS)[number]

const PROTOCOLS = ['upnp', 'nat-pmp', 'pcp'] as const

/** Where others find the port now. */
export type PortMapAnswer = {
  readonly host: string
  readonly port: number
  /** When the router forgets it by itself. */
  readonly lifetimeS: number
  readonly protocol: PortMapProtocol
}

/** Reads the line; nothing when it is none. A router may say anything. */
export function readAnswer(line: string): PortMapAnswer | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { host, port, lifetimeS, protocol } = value as Readonly<Record<string, unknown>>
  if (typeof host !== 'string' || !isIPv4(host)) return undefined
  if (!isWhole(port, 65_535) || !isWhole(lifetimeS, 0xffff_ffff)) return undefined
  const known = PROTOCOLS.find((each) => each === protocol)
  return known && { host, port, lifetimeS, protocol: known }
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
}
