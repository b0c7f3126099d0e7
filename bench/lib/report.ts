/** Renders a result as Markdown: medians with ranges, the goals, what was left out, and where it was measured. */
import type { Latest, Measured } from './latest.ts'
import type { BenchResult, Comparison, Series } from './results.ts'
import { median } from './stats.ts'
import { ROLES } from './system.ts'

/** Roles in tables; what is no role comes before them. */
const ROLE_ORDER: readonly string[] = [
  ...ROLES.filter((role) => role !== 'idle'),
  'path',
  'ends',
  'idle',
]

/** Names and descriptions of what the report shows. */
export type ReportTexts = {
  readonly sections: Readonly<Record<string, string>>
  readonly systems: Readonly<Record<string, string>>
}

/** Renders `bench/RESULTS.md`. */
export function renderReport({ result, measured }: Latest, texts: ReportTexts): string {
  const names = Array.from(new Set(result.series.map(({ section }) => section)))
  const parts = [
    '# Results',
    `Written by \`npm run bench\`; the numbers behind it are in \`bench/results/\`. Cells show the median of a section's runs and, in brackets, the smallest and largest run. A section that the last run left out stands as it was measured before.`,
    renderEnvironment(result),
    renderMeasured(measured),
    renderGoals(result.comparisons),
    ...names.map((name) => renderSection(name, texts.sections[name] ?? name, result.series)),
    renderSystems(texts.systems),
    renderSkipped(result),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function renderMeasured(measured: readonly Measured[]): string {
  const rows = measured.map(({ section, date, commit, isDirty, runs, isQuick }) => [
    section,
    date,
    `${commit}${isDirty ? ', with local changes' : ''}`,
    `${runs} alternating${isQuick ? ', quick (short transfers)' : ''}`,
  ])
  return `## When\n\n${table(['section', 'measured', 'commit', 'runs'], rows)}`
}

function renderEnvironment({ environment: env }: BenchResult): string {
  const peers = Object.entries(env.peers).map(([name, version]) => `${name} ${version}`)
  return table(
    ['what', 'value'],
    [
      ['date', env.date],
      ['commit', `${env.commit}${env.isDirty ? ', with local changes' : ''}`],
      ['Node', env.node],
      ['peers', peers.join(', ') || 'none installed'],
      ['CPU', `${env.cpuModel}, ${env.cores} cores`],
      ['memory', `${(env.memoryBytes / 1e9).toFixed(0)} GB`],
      ['kernel', env.kernel],
      ['TCP congestion control', env.tcpCongestionControl],
      ['load average at the start', env.loadAverageAtStart.toFixed(2)],
    ],
  )
}

function renderGoals(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ goal, samples, isReached }) => [
    goal.title,
    `${goal.sense} ${goal.limit}`,
    samples.length === 0 ? 'not measured' : renderCell(samples),
    isReached === null ? '' : isReached ? 'reached' : 'missed',
  ])
  return `## Beside the goals\n\n${table(['what', 'goal', 'measured', ''], rows)}`
}

function renderSection(name: string, title: string, series: readonly Series[]): string {
  const own = series.filter(({ section }) => section === name)
  const systems = Array.from(new Set(own.map(({ system }) => system)))
  const metrics = sortMetrics(Array.from(new Set(own.map(({ metric }) => metric))))
  const rows = metrics.map((metric) => {
    const unit = own.find((one) => one.metric === metric)?.unit ?? ''
    const cells = systems.map((system) => {
      const found = own.find((one) => one.metric === metric && one.system === system)
      return found ? renderCell(found.samples.filter((sample) => sample !== null)) : ''
    })
    return [`${metric} (${unit})`, ...cells]
  })
  return `## ${name}\n\n${title}.\n\n${table(['', ...systems], rows)}`
}

/** Keeps the groups (`1 stream: …`) in the order of measuring and puts roles in the order of the path. */
function sortMetrics(metrics: readonly string[]): string[] {
  const groupOf = (metric: string): string => metric.replace(/[^:,]*$/, '')
  const groups = Array.from(new Set(metrics.map(groupOf)))
  const rankOf = (metric: string): number =>
    ROLE_ORDER.findIndex((role) => metric.endsWith(` ${role}`))
  return metrics.toSorted(
    (a, b) => groups.indexOf(groupOf(a)) - groups.indexOf(groupOf(b)) || rankOf(a) - rankOf(b),
  )
}

function renderSystems(systems: Readonly<Record<string, string>>): string {
  return `## Systems\n\n${table(['name', 'what it is'], Object.entries(systems))}\n\nCPU roles: \`relay\` is a hop of a system without entry, middle and exit; \`path\` is client and hops together; \`ends\` is origin and downloader; \`idle\` carried nothing.`
}

function renderSkipped({ skipped }: BenchResult): string {
  if (skipped.length === 0) return ''
  const rows = skipped.map(({ section, system, reason }) => [section, system, reason])
  return `## Not measured\n\n${table(['section', 'system', 'why'], rows)}`
}

function renderCell(samples: readonly number[]): string {
  if (samples.length === 0) return ''
  const middle = show(median(samples))
  return samples.length === 1
    ? middle
    : `${middle} (${show(Math.min(...samples))}–${show(Math.max(...samples))})`
}

function show(value: number): string {
  const size = Math.abs(value)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
