/**
 * Holds what a node's operator says of its country and AS against what is known of its address (docs/PLACE.md): clients do the same, and pass over a node that says what
 * their tables do not. For a node without a public address it is the address under which neighbours see it: clients cannot look there.
 * @module
 */
import { createOriginSource, placeOf } from '@byway/protocol/directory'
import type {
  JudgedPlace,
  NetworkParameters,
  OriginBooks,
  OriginSource,
} from '@byway/protocol/directory'
import { parseAddress } from '@byway/protocol/policy'

export type OwnOrigin = {
  /** What the operator says; '' and 0 for nothing. */
  readonly claim: { readonly country: string; readonly asn: number }
  readonly known: JudgedPlace
  /** An AS is known, and it is another than the operator says. */
  readonly isOtherAs: boolean
}

/** As a node is told them. */
export type OwnOriginOptions = {
  readonly network: Pick<NetworkParameters, 'asnTable'>
  readonly places?: OriginBooks | undefined
  readonly country?: string | undefined
  readonly asn?: number | undefined
  readonly onOrigin?: ((status: OwnOrigin) => void) | undefined
}

/** Keeps the comparison current. */
export interface OwnOriginWatch {
  /** What is known of any address. */
  readonly source: OriginSource
  /** As of the last look; undefined before it. */
  readonly status: OwnOrigin | undefined
  /** Looks at the address that others reach, or else at those under which they see this node. */
  look(reached: string | undefined, seen: readonly string[]): void
}

/** Creates a watch that has not looked yet. `onOrigin` is called whenever the result is another. */
export function createOwnOriginWatch({
  network,
  places,
  country = '',
  asn = 0,
  onOrigin,
}: OwnOriginOptions): OwnOriginWatch {
  const source = createOriginSource(network.asnTable, places)
  const claim = { country, asn }
  let status: OwnOrigin | undefined
  let last = ''
  return {
    source,
    get status() {
      return status
    },
    look(reached, seen) {
      const hosts = reached === undefined ? seen : [reached]
      const addresses = hosts.flatMap((host) => parseAddress(host) ?? [])
      const known = placeOf(addresses, claim, source)
      status = { claim, known, isOtherAs: isOtherAs(known, asn) }
      const text = JSON.stringify(status)
      if (text === last) return
      last = text
      onOrigin?.(status)
    },
  }
}

function isOtherAs({ asns, asnBy }: JudgedPlace, claimed: number): boolean {
  return claimed !== 0 && asnBy !== 'claim' && asnBy !== undefined && !asns.includes(claimed)
}
