/** A line of a node's score. */

/** One rule's say in a node's weight. */
export type ScoreLine = {
  readonly reason:
    | 'unused'
    | 'speed'
    | 'latency'
    | 'failures'
    | 'service'
    | 'young'
    | 'place'
    | 'double'
    | 'share'
    | 'absent'
    | 'payment'
    | 'last-guard'
    | 'line'
    | 'uptime'
  /** What the weight is multiplied by: above 1 adds, below takes. */
  readonly factor: number
  readonly evidence: string
  /** '' where nothing is lost. */
  readonly remedy: string
}
