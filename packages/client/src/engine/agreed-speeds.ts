/**
 * What the guards of a client agree on of each node, of what each of them shows (SPEC §10.3, ADR-0048, ADR-0052): worked out when something is measured, since a path is chosen among thousands of nodes.
 * @module
 */
import { agreedRatio } from '@byway/protocol/directory'
import type { NodeKey, SpeedVoice } from '@byway/protocol/directory'

// Local limits (tunable): docs/LIMITS.md.
/** How soon a change of guards is noticed. */
const LOOK_EVERY_MS = 1000

export type AgreedSpeedsDeps = {
  readonly primary: () => readonly NodeKey[]
  /** True for two nodes that may share a circuit: one party's are one voice. */
  readonly areApart: (a: NodeKey, b: NodeKey) => boolean
  readonly voiceOf: (guard: NodeKey, node: NodeKey) => SpeedVoice | undefined
  /** Nodes of which some guard has a voice. */
  readonly nodes: () => Iterable<NodeKey>
  readonly monotonicMs: () => number
}

/** Of one node. */
export type AgreedSpeed = {
  /** Beside other nodes: 1 where guards do not agree, or nobody measured. With one primary guard its word is taken. */
  readonly speed: number
  /** What round trips make of the weight, in the same way: above 1 for a node that answers sooner than others. */
  readonly latency: number
  /** Guards whose measurements count. */
  readonly speedVoices: number
  readonly latencyVoices: number
}

/** What is agreed on. */
export interface AgreedSpeeds {
  of(key: NodeKey): AgreedSpeed
  /** A guard's voice about this node is another. */
  renew(key: NodeKey): void
  /** Guards in use, in the client's order. */
  guards(): readonly NodeKey[]
  /** All voices may be others. */
  forget(): void
}

/** Creates it with nothing worked out. */
export function createAgreedSpeeds(deps: AgreedSpeedsDeps): AgreedSpeeds {
  const { primary, nodes, monotonicMs } = deps
  /** Of each node that a guard in use measured. */
  const agreed = new Map<NodeKey, AgreedSpeed>()
  let guards: readonly NodeKey[] = []
  let lookedAtMs = Number.NEGATIVE_INFINITY

  function agree(key: NodeKey): void {
    const one = agreeOn(deps, guards, key)
    if (one) agreed.set(key, one)
    else agreed.delete(key)
  }

  /** Guards are seldom others than before. */
  function look(): void {
    const atMs = monotonicMs()
    if (atMs - lookedAtMs < LOOK_EVERY_MS) return
    lookedAtMs = atMs
    const now = primary()
    if (now.length === guards.length && now.every((key, at) => key === guards[at])) return
    guards = now
    agreed.clear()
    for (const key of new Set(nodes())) agree(key)
  }

  return {
    of(key) {
      look()
      return agreed.get(key) ?? UNMEASURED
    },
    renew(key) {
      look()
      agree(key)
    },
    guards() {
      look()
      return guards
    },
    forget() {
      guards = []
      lookedAtMs = Number.NEGATIVE_INFINITY
    },
  }
}

/** Undefined where no guard in use has a voice. */
function agreeOn(
  { voiceOf, areApart }: AgreedSpeedsDeps,
  guards: readonly NodeKey[],
  key: NodeKey,
): AgreedSpeed | undefined {
  /** @param said - undefined where a voice is of something else */
  function by(said: (voice: SpeedVoice) => number | undefined) {
    const heard: { readonly guard: NodeKey; readonly ratio: number }[] = []
    for (const guard of guards) {
      const voice = voiceOf(guard, key)
      const ratio = voice && said(voice)
      if (ratio !== undefined && heard.every((other) => areApart(guard, other.guard)))
        heard.push({ guard, ratio })
    }
    const [first] = heard
    // Where there is one guard only, nobody else can be asked.
    const isAlone = first !== undefined && guards.length === 1
    const ratio = isAlone ? first.ratio : agreedRatio(heard.map((each) => each.ratio))
    return { ratio, voices: heard.length }
  }
  const speed = by(({ samples, ratio }) => (samples > 0 ? ratio : undefined))
  const latency = by((voice) => (voice.answers > 0 ? voice.latency : undefined))
  if (speed.voices + latency.voices === 0) return undefined
  return {
    speed: speed.ratio,
    latency: latency.ratio,
    speedVoices: speed.voices,
    latencyVoices: latency.voices,
  }
}

const UNMEASURED: AgreedSpeed = { speed: 1, latency: 1, speedVoices: 0, latencyVoices: 0 }
