/**
 * Where relays say that they see exits without an address (SPEC §5.4, docs/PLACE.md). A word comes with each circuit, sealed for this client alone; two relays that have nothing in common must
 * say the same. Chosen by the exit they are, so that it may have two accomplices.
 * @module
 */
import { mayShareCircuit } from '@byway/protocol/directory'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import type { SeenPlace } from '@byway/protocol/wire'

// Local limits (tunable): docs/LIMITS.md.
/** Exits of which words are kept; those heard of longest ago are forgotten first. */
const MAX_EXITS = 4096
/** As many relays as an exit names, and as many again that it named before. */
const MAX_RELAYS = 12
/** One alone may lie. */
const ENOUGH_RELAYS = 2

/** What relays said. */
export interface RelayWords {
  /** A circuit over these nodes, entry first, was built. @param seen - where each but the last sees the next */
  onBuilt(path: readonly PathNode[], seen: readonly SeenPlace[]): void
  /** What at least two relays say alike, and more than say anything else; the same object until that changes. */
  of(key: NodeKey): SeenPlace | undefined
}

type Word = { readonly relay: PathNode; readonly seen: SeenPlace }
type Record = { readonly words: Map<NodeKey, Word>; agreed: SeenPlace | undefined }

/** Creates an empty record, which lives in memory. */
export function createRelayWords(): RelayWords {
  const records = new Map<NodeKey, Record>()
  return {
    onBuilt(path, seen) {
      for (const [at, word] of seen.entries()) {
        const [relay, node] = [path[at], path[at + 1]]
        if (!relay || !node || node.isPublic || (word.country === '' && word.asn === 0)) continue
        const record = records.get(node.key) ?? { words: new Map(), agreed: undefined }
        records.delete(node.key)
        records.set(node.key, record)
        record.words.delete(relay.key)
        record.words.set(relay.key, { relay, seen: word })
        forgetFirst(record.words, MAX_RELAYS)
        forgetFirst(records, MAX_EXITS)
        const agreed = agreedBy([...record.words.values()])
        if (!isSame(agreed, record.agreed)) record.agreed = agreed
      }
    },
    of: (key) => records.get(key)?.agreed,
  }
}

function agreedBy(words: readonly Word[]): SeenPlace | undefined {
  const country = mostSaid(words, ({ seen }) => seen.country) ?? ''
  const asn = mostSaid(words, ({ seen }) => seen.asn) ?? 0
  return country === '' && asn === 0 ? undefined : { country, asn }
}

/** Said by enough relays apart from each other, and by more than anything else. */
function mostSaid<T extends string | number>(
  words: readonly Word[],
  fieldOf: (word: Word) => T,
): T | undefined {
  const voices = new Map<T, PathNode[]>()
  for (const word of words) {
    const said = fieldOf(word)
    if (said === '' || said === 0) continue
    const apart = voices.get(said) ?? []
    voices.set(said, apart)
    // Relays of one owner or place are one voice.
    if (apart.every((other) => mayShareCircuit(other, word.relay))) apart.push(word.relay)
  }
  const [first, second] = [...voices].toSorted(([, a], [, b]) => b.length - a.length)
  if (!first || first[1].length < ENOUGH_RELAYS) return undefined
  return second && second[1].length === first[1].length ? undefined : first[0]
}

function isSame(a: SeenPlace | undefined, b: SeenPlace | undefined): boolean {
  return a?.country === b?.country && a?.asn === b?.asn
}

function forgetFirst<K, V>(map: Map<K, V>, most: number): void {
  const [first] = map.keys()
  if (map.size > most && first !== undefined) map.delete(first)
}
