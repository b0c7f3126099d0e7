/** The shape of a result file: measurements as series with one sample per run, and comparisons made within one run. */
import { median } from './stats.ts'

/** One measure of one system; `samples` holds one number per run, in the order of the runs. */
export type Series = {
  readonly section: string
  readonly metric: string
  readonly system: string
  readonly unit: string
  readonly samples: readonly (number | null)[]
}

/** A system that was not measured, and why. */
export type Skipped = { readonly section: string; readonly system: string; readonly reason: string }

/** What a number must be, beside another system's of the same run or by itself. */
export type Goal = {
  readonly title: string
  readonly section: string
  readonly metric: string
  readonly system: string
  /** `value` looks at the system alone. */
  readonly compare: 'ratio' | 'difference' | 'value'
  /** The system it stands beside; absent for `value`. */
  readonly beside?: string | undefined
  /** The metric of the other system, where it has another name there. */
  readonly besideMetric?: string | undefined
  readonly sense: 'at most' | 'at least'
  readonly limit: number
}

/** A goal with what was measured. `samples` are per run; absent systems give none and no verdict. */
export type Comparison = {
  readonly goal: Goal
  readonly samples: readonly number[]
  readonly median: number | null
  readonly isReached: boolean | null
}

/** Where and with what the bench ran. */
export type Environment = {
  readonly date: string
  readonly commit: string
  readonly isDirty: boolean
  readonly node: string
  readonly peers: Readonly<Record<string, string>>
  readonly cpuModel: string
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly tcpCongestionControl: string
  readonly loadAverageAtStart: number
}

/** One run of `npm run bench`. */
export type BenchResult = {
  readonly environment: Environment
  readonly options: {
    readonly runs: number
    readonly isQuick: boolean
    readonly sections: readonly string[]
  }
  readonly series: readonly Series[]
  readonly comparisons: readonly Comparison[]
  readonly skipped: readonly Skipped[]
}

/** Compares every goal with what was measured, run by run. */
export function compareGoals(goals: readonly Goal[], series: readonly Series[]): Comparison[] {
  return goals.map((goal) => {
    const samples = samplesOf(goal, series)
    if (samples.length === 0) return { goal, samples, median: null, isReached: null }
    const middle = median(samples)
    return {
      goal,
      samples,
      median: middle,
      isReached: goal.sense === 'at most' ? middle <= goal.limit : middle >= goal.limit,
    }
  })
}

function samplesOf(goal: Goal, series: readonly Series[]): number[] {
  const find = (system: string, metric: string): readonly (number | null)[] =>
    series.find(
      (one) => one.section === goal.section && one.system === system && one.metric === metric,
    )?.samples ?? []
  const own = find(goal.system, goal.metric)
  if (goal.compare === 'value') return own.filter((value) => value !== null)
  const other = find(goal.beside ?? '', goal.besideMetric ?? goal.metric)
  return own.flatMap((value, run) => {
    const beside = other[run]
    if (
      value === null ||
      beside === null ||
      beside === undefined ||
      (goal.compare === 'ratio' && beside === 0)
    )
      return []
    return [goal.compare === 'ratio' ? value / beside : value - beside]
  })
}
