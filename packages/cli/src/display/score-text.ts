/** A node's score in words: each addition and deduction, what it rests on, and what would end it. */
import type { NodeScore } from '@byway/client'
import { latenessOf } from '@byway/protocol/directory'
import type { JsonObject } from '../output.ts'
import { momentLines } from './moment-lines.ts'
import { lineLines, placeLines } from './place-lines.ts'
import { uptimeLines } from './uptime-lines.ts'
import { serviceLines, type TokenNames } from './service-lines.ts'
import type { ScoreLine } from './score-line.ts'

/** Of a network too large to read; a node beyond them is asked for by its id. */
const MAX_SHOWN = 1000
/** From this on a factor is told; nearer to 1 it is luck. */
const TOLD = 0.005
/** What is worth knowing although it changes no weight. */
const TOLD_ALWAYS: ReadonlySet<ScoreLine['reason']> = new Set([
  'unused',
  'service',
  'place',
  'last-guard',
  'line',
  'uptime',
])

/** What changed a node's weight, in the order in which it is worked out. @param token - undefined where nothing is paid */
export function scoreLines(score: NodeScore, token: TokenNames | undefined): readonly ScoreLine[] {
  const { factors, record } = score
  const lines: readonly ScoreLine[] = [
    ...(record ? measuredLines(score) : [UNUSED]),
    ...serviceLines(score, token),
    {
      reason: 'young',
      factor: factors.youth,
      evidence: `its stake was put down ${daysOf(score.stakeAgeMs)} days ago`,
      remedy: 'wait: a stake counts in full after 14 days',
    },
    ...placeLines(score),
    {
      reason: 'double',
      factor: factors.honesty,
      evidence: 'it signed two editions under one number',
      remedy: 'run one node with one identity; a new identity begins anew',
    },
    {
      reason: 'share',
      factor: factors.share,
      evidence: 'its staker, prefix or AS would have more than a fair share of all weight',
      remedy: 'put nodes at other places, under other stakes',
    },
    ...momentLines(score),
    ...lineLines(score),
    ...uptimeLines(score),
  ]
  return lines.filter(
    ({ reason, factor }) => TOLD_ALWAYS.has(reason) || Math.abs(factor - 1) > TOLD,
  )
}

/** What `byway node score` is told: nodes whose ids begin so. One is explained in the text, several are listed. */
export function scoresOf(
  all: readonly NodeScore[],
  prefix: string,
  token: TokenNames | undefined,
): JsonObject {
  const chosen = all.filter(({ nodeId }) => nodeId.startsWith(prefix)).slice(0, MAX_SHOWN)
  const [first] = chosen
  const text =
    chosen.length === 1 && first ? scoreText(first, token) : chosen.map(rowText).join('\n')
  return { scores: chosen.map((score) => scoreFields(score, token)), text }
}

function rowText(score: NodeScore): string {
  const { nodeId, weight, share, isGuard } = score
  const percent = (share * 100).toFixed(1).padStart(5)
  const notes = [...(isGuard ? ['guard'] : []), ...momentLines(score).map(({ reason }) => reason)]
  const row = `${nodeId.slice(0, 16)}  weight ${weightText(weight).padStart(8)}  ${percent} %`
  return [row, ...notes].join('  ')
}

/** What is drawn last weighs little, and not nothing. */
function weightText(weight: number): string {
  return weight === 0 || weight >= 0.01 ? weight.toFixed(2) : String(Number(weight.toPrecision(1)))
}

/** As a script reads it. */
function scoreFields(score: NodeScore, token: TokenNames | undefined): JsonObject {
  return {
    node: score.nodeId,
    weight: rounded(score.weight),
    share: rounded(score.share),
    guard: score.isGuard,
    lines: scoreLines(score, token).map((line) => ({ ...line, factor: rounded(line.factor) })),
  }
}

/** As a person reads it. */
function scoreText(score: NodeScore, token: TokenNames | undefined): string {
  const { nodeId, weight, share, isGuard } = score
  const guard = isGuard ? ', a guard of this client' : ''
  const head = `${nodeId}\nweight ${weightText(weight)}, ${(share * 100).toFixed(1)} % of all${guard}`
  const lines = scoreLines(score, token).map(({ factor, evidence, remedy }) => {
    const sign = factor < 1 ? '-' : '+'
    const words = remedy === '' ? evidence : `${evidence}\n            ${remedy}`
    return `  ${sign} × ${weightText(factor).padEnd(6)} ${words}`
  })
  return [head, ...(lines.length > 0 ? lines : [NOTHING])].join('\n')
}

const NOTHING = '  nothing counts for it or against it yet'

const UNUSED: ScoreLine = {
  reason: 'unused',
  factor: 1,
  evidence: 'this client has not used it yet: it counts as fast as others',
  remedy: '',
}

function measuredLines({ factors, record, voices }: NodeScore): readonly ScoreLine[] {
  const mbps = ((record?.goodputKbps ?? 0) / 1000).toFixed(2)
  const percent = ((record?.success ?? 1) * 100).toFixed(0)
  return [
    {
      reason: 'speed',
      factor: factors.speed,
      evidence: `${mbps} Mbit/s came over paths with it, measured behind ${guardsOf(voices.speedVoices)} beside other nodes`,
      remedy:
        factors.speed < 1 ? 'a faster or less busy line; what is measured may double in a day' : '',
    },
    {
      reason: 'latency',
      factor: factors.latency,
      evidence: `its circuits answered ${latenessText(factors.latency)}, measured behind ${guardsOf(voices.latencyVoices)}`,
      remedy:
        factors.latency < 1
          ? 'a line without queues, or a place nearer to other nodes; this takes no more than half'
          : '',
    },
    {
      reason: 'failures',
      factor: factors.success,
      evidence: `${percent} % of the last circuits did not fail by it; that counts squared`,
      remedy:
        'keep it running, stop it with Ctrl-C or SIGTERM so that it drains, and serve at the price in its descriptor',
    },
  ]
}

/** What lies beyond the bounds of the factor is not known any more. */
function latenessText(factor: number): string {
  const laterMs = Math.round(latenessOf(factor))
  return `${Math.abs(laterMs)} ms ${laterMs > 0 ? 'later' : 'sooner'} than usual, as far as that counts`
}

function guardsOf(voices: number): string {
  return voices === 1 ? 'one guard' : `${voices} guards`
}

function daysOf(ageMs: number | undefined): string {
  return ageMs === undefined ? '?' : (ageMs / 86_400_000).toFixed(1)
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
