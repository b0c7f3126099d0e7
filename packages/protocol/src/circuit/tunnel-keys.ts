/**
 * How a tunnel proves itself on a new leg: generations, macs and the ratchet of the secret S (SPEC §9.2). One machine for
 * each side; what is sent again afterwards is tunnel-end.ts.
 * @module
 */
import { type CryptoProvider, ratchetTunnelSecret, tunnelMac } from '@byway/protocol/crypto'
import {
  encodeHopMessage,
  HOP_MESSAGE,
  type JoinedMessage,
  type JoinMessage,
} from '@byway/protocol/wire'

/** The client's side. */
export interface ClientTunnelKeys {
  /** Makes the JOIN for a new leg; each leg has a generation above all earlier ones. */
  join(legHash: Uint8Array, nextSequence: number): JoinMessage
  /** Judges the JOINED to the last JOIN; true moves the secret on. */
  onJoined(joined: JoinedMessage): boolean
}

/** The exit's side. */
export interface ExitTunnelKeys {
  /** Judges a JOIN; true moves generation and secret on, and `joined` must follow. */
  onJoin(legHash: Uint8Array, join: JoinMessage): boolean
  /** Makes the JOINED to the JOIN just accepted. */
  joined(nextSequence: number): JoinedMessage
  /** A message has arrived on the newest leg: its client has seen JOINED, and the secret before is forgotten. */
  confirm(): void
}

/** What both sides start from: S₀ of the first leg (SPEC §5.5). */
export type TunnelKeysOptions = {
  readonly provider: CryptoProvider
  readonly tunnelId: Uint8Array
  readonly tunnelSecret: Uint8Array
}

/** Creates the client's side, generation 0. */
export function createClientTunnelKeys(options: TunnelKeysOptions): ClientTunnelKeys {
  const { provider, tunnelId } = options
  let secret = options.tunnelSecret
  let generation = 0
  let joiningHash: Uint8Array | undefined
  return {
    join(legHash, nextSequence) {
      generation++
      joiningHash = legHash
      const fields = joinFields(tunnelId, generation, nextSequence)
      const mac = tunnelMac(provider, secret, 'join', legHash, fields)
      return { type: HOP_MESSAGE.JOIN, tunnelId, generation, nextSequence, mac }
    },
    onJoined(joined) {
      if (!joiningHash || joined.generation !== generation) return false
      const fields = joinFields(tunnelId, generation, joined.nextSequence)
      const mac = tunnelMac(provider, secret, 'joined', joiningHash, fields)
      if (!provider.timingSafeEqual(mac, joined.mac)) return false
      secret = ratchetTunnelSecret(provider, secret, joiningHash)
      joiningHash = undefined
      return true
    },
  }
}

/** Creates the exit's side, generation 0. */
export function createExitTunnelKeys(options: TunnelKeysOptions): ExitTunnelKeys {
  const { provider, tunnelId } = options
  let current = options.tunnelSecret
  // SPEC §9.2: accepted until a message has arrived on the leg that ratcheted it (the client may never have seen JOINED).
  let previous: Uint8Array | undefined
  let generation = 0
  let accepted = { secret: current, legHash: new Uint8Array(0) }

  const proves = (secret: Uint8Array, legHash: Uint8Array, join: JoinMessage): boolean => {
    const fields = joinFields(tunnelId, join.generation, join.nextSequence)
    return provider.timingSafeEqual(tunnelMac(provider, secret, 'join', legHash, fields), join.mac)
  }
  return {
    onJoin(legHash, join) {
      const candidates = previous ? [current, previous] : [current]
      const secret = candidates.find((candidate) => proves(candidate, legHash, join))
      // SPEC §9.2: a JOIN MUST carry a generation above the tunnel's.
      if (!secret || join.generation <= generation) return false
      generation = join.generation
      previous = secret
      current = ratchetTunnelSecret(provider, secret, legHash)
      accepted = { secret, legHash: legHash.slice() }
      return true
    },
    joined(nextSequence) {
      const fields = joinFields(tunnelId, generation, nextSequence)
      const mac = tunnelMac(provider, accepted.secret, 'joined', accepted.legHash, fields)
      return { type: HOP_MESSAGE.JOINED, generation, nextSequence, mac }
    },
    confirm() {
      previous = undefined
    },
  }
}

/** What the macs cover beside the leg: `tunnel id ‖ generation ‖ next sequence`, as a JOIN has them on the wire. */
function joinFields(tunnelId: Uint8Array, generation: number, nextSequence: number): Uint8Array {
  const type = HOP_MESSAGE.JOIN
  const body = encodeHopMessage({ type, tunnelId, generation, nextSequence, mac: NO_MAC })
  return body.subarray(0, body.length - NO_MAC.length)
}

const NO_MAC = new Uint8Array(32)
