/**
 * How many streams the circuits of one link have open at this exit (THREAT-MODEL T15). A tunnel's streams move with it to another link.
 */
import type { Link } from '@byway/protocol/link'

/** Streams by link. */
export interface LinkStreams {
  /** Counts one more stream of a link; false when there are too many. */
  tryAdd(link: Link): boolean
  remove(link: Link, count: number): void
  /** A tunnel with `count` streams has joined on another link; what is open stays open. */
  move(from: Link, to: Link, count: number): void
}

/** Creates counters at zero. */
export function createLinkStreams(maxPerLink: number = MAX_STREAMS_PER_LINK): LinkStreams {
  const counts = new Map<Link, number>()
  function add(link: Link, count: number): void {
    const sum = (counts.get(link) ?? 0) + count
    if (sum > 0) counts.set(link, sum)
    else counts.delete(link)
  }
  return {
    tryAdd(link) {
      if ((counts.get(link) ?? 0) >= maxPerLink) return false
      add(link, 1)
      return true
    },
    remove: (link, count) => add(link, -count),
    move(from, to, count) {
      add(from, -count)
      add(to, count)
    },
  }
}

// Local limit (tunable): THREAT-MODEL T15.
/** Streams that one neighbour's circuits may have open: the thousand that must work, and some whose end is still on its way. A quarter of what the whole exit holds. */
const MAX_STREAMS_PER_LINK = 1024
