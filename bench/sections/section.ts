/** What a section of the bench is. */
import type { BenchContext } from '../lib/fleet.ts'
import type { SystemUnderTest } from '../lib/system.ts'

/** One group of measures over all systems. */
export interface Section {
  readonly name: string
  /** One sentence for people: what is measured and how. */
  readonly title: string
  /** The systems it looks at, by name; all when absent. */
  readonly systems?: readonly string[] | undefined
  /** Whether the systems must be freshly started for it (memory) or may have carried traffic. */
  readonly isFresh: boolean
  /** Runs once however many runs are asked for, when a second look at the same processes means nothing. */
  readonly isOnce: boolean
  /** Measures one system in one run and records one sample per metric. */
  measure(context: BenchContext, system: SystemUnderTest): Promise<void>
}

/** A section that starts what it measures by itself, in a world of its own. */
export interface WorldSection {
  readonly name: string
  readonly title: string
  /** Says what this machine lacks for it, or nothing. */
  missing(): string | undefined
  /** Starts what all runs share. */
  open(context: BenchContext): Promise<World>
}

/** What a {@link WorldSection} has started. */
export interface World {
  /** Measures one run. */
  measure(run: number): Promise<void>
  close(): Promise<void>
}

/** A world in which runs share nothing. */
export function worldOf(measure: () => Promise<void>): Promise<World> {
  return Promise.resolve({ measure, close: () => Promise.resolve() })
}
