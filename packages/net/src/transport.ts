/**
 * The port between a link and whatever carries its bytes: a TLS socket, or memory. A transport moves whole cells and says how
 * much it holds back; it decides nothing.
 * @module
 */

/** What a transport tells its link. */
export interface TransportSink {
  /** A whole cell was read. It becomes the sink's. Returns false when nothing more is wanted. */
  onCell(cell: Uint8Array): boolean
  /** The last cell of a burst was delivered. */
  onBurstEnd(): void
  /** Something that was written has left. */
  onWritten(): void
  /** The other side is gone; called at most once. */
  onGone(reason: 'remote' | 'io'): void
}

/** Carries cells between two ends of a link, in order. */
export interface CellTransport {
  /** Bytes taken and not yet passed to the operating system or to the other end. */
  readonly pendingBytes: number
  /** Begins to read. Called once. */
  start(sink: TransportSink): void
  /** Takes a cell: **its memory is released once it is written**, so that nobody may touch it any more. */
  write(cell: Uint8Array): void
  /** Ends a batch of writes; small cells may wait for it. */
  flush(): void
  /** Sends what was written, then closes. No call to the sink follows. */
  end(): void
}
