/** The newest measurement of each section, out of runs that measured some sections each. */
import { compareGoals, type BenchResult, type Goal } from './results.ts'

/** When and where a section was measured last. */
export type Measured = {
  readonly section: string
  readonly date: string
  readonly commit: string
  readonly isDirty: boolean
  readonly runs: number
  readonly isQuick: boolean
}

/** A run with what earlier ones measured of the sections that it left out, and where each section comes from. */
export type Latest = { readonly result: BenchResult; readonly measured: readonly Measured[] }

/** Puts a run before earlier ones, in any order. Ratios are taken within the run that measured both sides. */
export function latestOf(
  newest: BenchResult,
  earlier: readonly BenchResult[],
  goals: readonly Goal[],
): Latest {
  const byDate = earlier.toSorted((a, b) => (a.environment.date < b.environment.date ? 1 : -1))
  const sources = new Map<string, BenchResult>()
  for (const run of [newest, ...byDate])
    for (const { section } of run.series) if (!sources.has(section)) sources.set(section, run)
  const series = [...sources].flatMap(([name, run]) =>
    run.series.filter(({ section }) => section === name),
  )
  return {
    result: { ...newest, series, comparisons: compareGoals(goals, series) },
    measured: [...sources].map(([section, { environment, options }]) => ({
      section,
      date: environment.date,
      commit: environment.commit,
      isDirty: environment.isDirty,
      runs: options.runs,
      isQuick: options.isQuick,
    })),
  }
}
