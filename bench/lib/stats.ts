/** Small statistics over the samples of one measure. No outlier is ever dropped. */

/** What a table shows of a set of samples. */
export type Summary = {
  readonly count: number
  readonly median: number
  readonly mean: number
  readonly p95: number
  readonly p99: number
  readonly min: number
  readonly max: number
}

/** Returns the value below which `share` (0 to 1) of the samples lie, by linear interpolation. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)]
  const high = sorted[Math.ceil(at)]
  if (low === undefined || high === undefined) throw new RangeError('no samples')
  return low + (high - low) * (at - Math.floor(at))
}

/** Returns the middle sample, or the mean of the two middle ones. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}

/** Summarises at least one sample. */
export function summarise(samples: readonly number[]): Summary {
  return {
    count: samples.length,
    median: median(samples),
    mean: samples.reduce((sum, sample) => sum + sample, 0) / samples.length,
    p95: percentile(samples, 0.95),
    p99: percentile(samples, 0.99),
    min: Math.min(...samples),
    max: Math.max(...samples),
  }
}
