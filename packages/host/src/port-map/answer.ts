/** What the short-lived process that talks to the router says, as one line of JSON. @module */
import { isIPv4 } from 'node:net'

export type PortMapProtocol = 'upnp' | 'nat-pmp'

/** Where others find the port now. */
export type PortMapAnswer = {
  readonly host: string
  readonly port: number
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
  const { host, port, protocol } = value as Readonly<Record<string, unknown>>
  if (typeof host !== 'string' || !isIPv4(host)) return undefined
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    return undefined
  if (protocol !== 'upnp' && protocol !== 'nat-pmp') return undefined
  return { host, port, protocol }
}
