/**
 * The editions of the node's own descriptor (SPEC §10.1): a new one when a fact has changed or a key was replaced, two a day where nothing else happens.
 * @module
 */
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { NodeKeys } from '../node-keys.ts'
import type { NodeOptions } from '../node-types.ts'
import type { EditionNumbers } from './edition-numbers.ts'
import { createDescriptorMaker } from './own-descriptor.ts'
import { ownFacts, type OwnFactsInput } from './own-facts.ts'

export type OwnEditionsDeps = {
  readonly keys: Pick<NodeKeys, 'identity' | 'onionKeys'>
  readonly numbers: EditionNumbers
  readonly options: Pick<NodeOptions, 'exit' | 'country' | 'asn' | 'family'>
  /** What holds at the moment, looked at anew. */
  readonly facts: () => Pick<
    OwnFactsInput,
    'origins' | 'address' | 'attachments' | 'gossipPort' | 'money'
  >
  /** The exit role is named in the descriptor from the moment that it carries anything. */
  readonly isExitOpen: () => boolean
  /** Takes a new edition in and passes it on. */
  readonly onMade: () => void
  /** Wall clock. */
  readonly nowMs: () => number
}

export interface OwnEditions {
  /** The newest, signed; undefined while the node can be reached nowhere. */
  readonly current: Uint8Array | undefined
  /** Makes a new edition, with what holds at the moment, and passes it on. */
  publish(): void
  /** Publishes when the exit role has opened or closed since the last edition. */
  onExitMoved(): void
  /** Replaces the onion key when that is due. */
  rotateKeys(): void
  /** Replaces it now: the day's token keys make an edition anyway, and with it there are two a day, not three. */
  onTokenKeys(): void
  /** For a client that came with an old onion key; empty while there is none. */
  forStale(): Uint8Array
}

/** Creates it; nothing is made before it is asked for. */
export function createOwnEditions(deps: OwnEditionsDeps): OwnEditions {
  const { keys, numbers, options, nowMs } = deps
  const { onionKeys } = keys
  const maker = createDescriptorMaker(nodeCrypto, keys.identity, (nowS) => numbers.take(nowS))
  let current: Uint8Array | undefined
  let wasExitOpen = false

  function publish(): void {
    wasExitOpen = deps.isExitOpen()
    const facts = ownFacts({
      ...deps.facts(),
      country: options.country,
      asn: options.asn,
      family: options.family,
      onionKey: onionKeys.current().pair.publicKey,
      exit: wasExitOpen ? options.exit : undefined,
    })
    if (!facts) return
    current = maker.make(facts, nowMs())
    deps.onMade()
  }

  function rotateKeys(): void {
    // Numbers that cannot be reserved rise one by one until they can.
    numbers.extend(Math.floor(nowMs() / 1000)).catch(() => {})
    if (onionKeys.rotate(nowMs())) publish()
  }

  return {
    get current() {
      return current
    },
    publish,
    rotateKeys,
    onExitMoved() {
      if (deps.isExitOpen() !== wasExitOpen) publish()
    },
    onTokenKeys() {
      onionKeys.rotate(nowMs(), true)
      publish()
    },
    forStale() {
      // A key whose filter is full is not accepted any more: the edition that a client gets for it must name another.
      if (onionKeys.nextRotationAtMs() <= nowMs()) rotateKeys()
      return current ?? new Uint8Array(0)
    },
  }
}
