/** What the bench's Byway processes are told on their command line, as JSON: binary ids travel as hex. */
import type { NetworkParameters } from '@byway/protocol/directory'
import { fromHex, toHex } from '@byway/protocol/base'

/** A network with the ids of its first contacts as hex. */
export type PlainNetwork = Omit<NetworkParameters, 'bootstrap'> & {
  readonly bootstrap: readonly {
    readonly nodeId: string
    readonly address: string
    readonly port: number
  }[]
}

/** Settings of `node-process.ts`. */
export type NodeSettings = {
  readonly network: PlainNetwork
  readonly home: string
  readonly host: string
  readonly isExit: boolean
}

/** Settings of `client-process.ts`. */
export type ClientSettings = {
  readonly network: PlainNetwork
  readonly home: string
  readonly hops: 1 | 2 | 3
}

/** Settings of `load-process.ts`. */
export type LoadSettings = { readonly network: PlainNetwork }

/** Reads the settings of this process. */
export function readSettings(): unknown {
  return JSON.parse(process.argv[2] ?? '{}')
}

/** Turns what came as text into what the engines take. */
export function toNetwork(plain: PlainNetwork): NetworkParameters {
  const bootstrap = plain.bootstrap.map(({ nodeId, address, port }) => ({
    nodeId: fromHex(nodeId) ?? new Uint8Array(32),
    address,
    port,
  }))
  return { ...plain, bootstrap }
}

/** An id as text. */
export function idText(nodeId: Uint8Array): string {
  return toHex(nodeId)
}
