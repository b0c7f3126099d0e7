/** The newest page of the own exit record (SPEC §10.6), kept so that entries that go on can be shown on it. @module */
import { equalBytes, toHex } from '@byway/protocol/base'
import { createMerkleTree, exitEntryOf, readExitHead } from '@byway/protocol/directory'
import type { ExitSpan, MerkleTree } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { ExitPlace } from '@byway/protocol/wire'

export interface ClosedPage {
  readonly page: number
  /** Its time was over then, seconds. */
  readonly endS: number
  /** Where a span stands on it; undefined when it does not. */
  placeOf(span: SpanId): Pick<ExitPlace, 'place' | 'path'> | undefined
}

export type SpanId = Pick<ExitSpan, 'nodeId' | 'name' | 'fromS'>

/** @param spans - of the page, in order */
export function createClosedPage(
  page: number,
  endS: number,
  spans: readonly ExitSpan[],
  tree: MerkleTree,
): ClosedPage {
  const places = new Map(spans.map((span, place) => [keyOf(span), place]))
  return {
    page,
    endS,
    placeOf(span) {
      const place = places.get(keyOf(span))
      return place === undefined ? undefined : { place, path: tree.path(place) }
    },
  }
}

/** Makes the newest page again from what is kept; undefined when that is not what was signed. */
export function restoreClosedPage(
  head: Uint8Array,
  pageS: number,
  spans: readonly ExitSpan[],
): ClosedPage | undefined {
  const signed = readExitHead(nodeCrypto, head)
  if (!signed) return undefined
  const endS = (signed.page + 1) * pageS
  const tree = createMerkleTree(
    nodeCrypto,
    spans.map((span) => exitEntryOf(span, endS)),
  )
  if (!equalBytes(tree.root, signed.root)) return undefined
  return createClosedPage(signed.page, endS, spans, tree)
}

function keyOf({ nodeId, name, fromS }: SpanId): string {
  return `${toHex(nodeId)} ${toHex(name)} ${fromS}`
}
