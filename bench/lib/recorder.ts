/** Collects the samples of all runs; a run in which a system failed leaves a hole for that system only. */
import type { Series, Skipped } from './results.ts'

/** Where sections put what they measure. */
export interface Recorder {
  /** From now on samples belong to run number `run`, from 0 on. */
  beginRun(run: number): void
  /** Adds one sample of the present run. */
  add(sample: {
    section: string
    metric: string
    system: string
    unit: string
    value: number
  }): void
  /** Notes that a system was not measured. */
  skip(skipped: Skipped): void
  series(): readonly Series[]
  skipped(): readonly Skipped[]
}

/** Creates an empty recorder. */
export function createRecorder(): Recorder {
  const series = new Map<string, Series & { samples: (number | null)[] }>()
  const skipped = new Map<string, Skipped>()
  let presentRun = 0
  return {
    beginRun: (run) => {
      presentRun = run
    },
    add: ({ section, metric, system, unit, value }) => {
      const key = `${section}|${system}|${metric}`
      const known = series.get(key) ?? { section, metric, system, unit, samples: [] }
      while (known.samples.length < presentRun) known.samples.push(null)
      known.samples.push(value)
      series.set(key, known)
    },
    skip: (one) => void skipped.set(`${one.section}|${one.system}|${one.reason}`, one),
    series: () => Array.from(series.values()),
    skipped: () => Array.from(skipped.values()),
  }
}
