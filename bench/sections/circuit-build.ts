/** Time to build one circuit over warm links on loopback: the cost in CPU and turns, without any distance. */
import { median, percentile } from '../lib/stats.ts'
import type { Section } from './section.ts'

const CIRCUITS = { quick: 10, full: 40 } as const

/** Creates the section. */
export function createCircuitBuild(): Section {
  return {
    name: 'circuit-build',
    title: 'From the request to a usable circuit, links warm, loopback (no delay), one at a time',
    isFresh: false,
    isOnce: false,
    measure: async (context, system) => {
      if (!system.buildCircuit) return
      const times: number[] = []
      for (let count = 0; count < CIRCUITS[context.isQuick ? 'quick' : 'full']; count++) {
        times.push(await system.buildCircuit())
      }
      const record = (metric: string, value: number): void =>
        context.recorder.add({
          section: 'circuit-build',
          metric,
          system: system.name,
          unit: 'ms',
          value,
        })
      record('median', median(times))
      record('p95', percentile(times, 0.95))
      context.log(`  ${system.name}: circuit after ${median(times).toFixed(2)} ms`)
    },
  }
}
