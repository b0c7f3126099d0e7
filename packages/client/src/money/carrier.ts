/**
 * What payment messages travel on between the client and one hop (SPEC §15.1): its entry's link, or a control circuit. What is said on it is the session's.
 * @module
 */
import type { ClientPayMessage, PayMessage } from '@byway/protocol/wire'

/** Told what comes. Must not throw. */
export interface PayListener {
  onPay(pay: PayMessage): void
  /** Nothing comes any more. Told once; `isLinkLost` when the way there failed at its first step, which says nothing about the hop. */
  onClosed(isLinkLost: boolean): void
}

/** Takes messages for one hop. */
export interface PaySender {
  readonly isClosed: boolean
  /** Sends messages in order; once closed they are dropped. */
  send(messages: readonly ClientPayMessage[]): void
}

/** A way to one hop and back. */
export interface PayCarrier extends PaySender {
  /** Who is told; set before anything is sent. */
  listen(listener: PayListener): void
  /** Ends it. */
  close(): void
}
