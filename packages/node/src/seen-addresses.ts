/**
 * Under which addresses other nodes see this one (NETINFO, SPEC §4.4). One node alone is not believed: an address counts when two agree.
 * @module
 */
import { nodeKeyOf, toIpAddress } from '@byway/protocol/directory'
import type { NodeKey } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { formatAddress } from '@byway/protocol/policy'
import type { IpBytes } from '@byway/protocol/wire'

const WITNESSES = 2

/** What neighbours say. */
export interface SeenAddresses {
  note(link: Link, address: IpBytes): void
  forget(link: Link): void
  /** What the other end of a link sees; undefined where it has not said. */
  over(link: Link): string | undefined
  /** Addresses that at least two neighbours see. */
  agreed(): readonly string[]
}

/** Creates an empty record. `onAgreed` is called when {@link SeenAddresses.agreed} has changed. */
export function createSeenAddresses(onAgreed: () => void = () => {}): SeenAddresses {
  const byLink = new Map<Link, Word>()
  let agreed: readonly string[] = []

  function count(): void {
    const before = agreed.join()
    agreed = agreedBy(byLink.values())
    if (agreed.join() !== before) onAgreed()
  }

  return {
    note(link, address) {
      if (link.peer.role !== 'node') return
      const witness = nodeKeyOf(link.peer.nodeId)
      byLink.set(link, { witness, address: formatAddress(toIpAddress(address)) })
      count()
    },
    forget(link) {
      if (byLink.delete(link)) count()
    },
    over: (link) => byLink.get(link)?.address,
    agreed: () => agreed,
  }
}

type Word = { readonly witness: NodeKey; readonly address: string }

function agreedBy(words: Iterable<Word>): readonly string[] {
  // A node that has two links here is one witness.
  const witnesses = new Map<string, Set<NodeKey>>()
  for (const { witness, address } of words) {
    const known = witnesses.get(address)
    if (known) known.add(witness)
    else witnesses.set(address, new Set([witness]))
  }
  return [...witnesses].filter(([, { size }]) => size >= WITNESSES).map(([address]) => address)
}
