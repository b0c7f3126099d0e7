/**
 * The PINGs that somebody waits for, by token (SPEC §4.4): matches each PONG with its question and says how long it took.
 * Knows nothing of cells; keepalive PINGs are not in it.
 * @module
 */

/** Local limit (tunable): a link is asked by its few users; the ninth question gives the oldest up. */
const MAX_OPEN_PINGS = 8
/** Tokens are drawn, not counted, so that a peer cannot answer what it has not been asked yet. */
const TOKEN_SPAN = 2 ** 53

/** Gets the round trip in milliseconds, or `undefined` when no answer will come. Called once; must not throw. */
export type OnPingAnswer = (rttMs: number | undefined) => void

type OpenPing = { readonly askedAtMs: number; readonly onAnswer: OnPingAnswer }

/** The open questions of one link. */
export interface PingBook {
  /** Notes a question and returns its token. */
  ask(nowMs: number, onAnswer: OnPingAnswer): bigint
  /** Takes a PONG; a token that is not open is nobody's. */
  answer(token: bigint, nowMs: number): void
  /** Tells everybody that no answer will come. */
  giveUp(): void
}

/** Creates an empty book. @param random - uniform in [0, 1) */
export function createPingBook(random: () => number): PingBook {
  const open = new Map<bigint, OpenPing>()

  function settle(token: bigint, rttMs: (ping: OpenPing) => number | undefined): void {
    const ping = open.get(token)
    if (ping === undefined) return
    open.delete(token)
    ping.onAnswer(rttMs(ping))
  }

  return {
    ask(nowMs, onAnswer) {
      const [oldest] = open.keys()
      if (open.size >= MAX_OPEN_PINGS && oldest !== undefined) settle(oldest, () => undefined)
      let token = BigInt(Math.floor(random() * TOKEN_SPAN))
      while (open.has(token)) token++
      open.set(token, { askedAtMs: nowMs, onAnswer })
      return token
    },
    answer(token, nowMs) {
      settle(token, ({ askedAtMs }) => nowMs - askedAtMs)
    },
    giveUp() {
      for (const token of open.keys()) settle(token, () => undefined)
    },
  }
}
