/** What the household allows, as its configuration says it, kept by a running node. */
import {
  openShareKeeper,
  parseQuietSpan,
  SYSTEM_CLOCK,
  type RunningNode,
  type ShareKeeper,
  type ShareRules,
} from '@byway/node'
import type { ShareConfig } from '../config/config.ts'
import type { JsonObject } from '../output.ts'
import type { EngineSetting } from './engine-options.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Between two looks at clock and counters: a cap is passed by what the line carries in that time. */
const LOOK_MS = 5000

const BYTES_PER_GB = 1e9

/** Disposing stops it, and writes the counters down. */
export interface NodeShare extends AsyncDisposable {
  /** Of the moment; null where nothing is limited. */
  status(): JsonObject | null
}

/** Begins to keep it. @throws HOME_FILE_OPEN */
export async function shareNode(
  { home, config, log }: Pick<EngineSetting, 'home' | 'config' | 'log'>,
  node: RunningNode,
): Promise<NodeShare> {
  const rules = rulesOf(config.share)
  if (!isLimited(rules)) return { status: () => null, async [Symbol.asyncDispose]() {} }
  const keeper = await openShareKeeper({
    home,
    rules,
    node: {
      get carriedBytes() {
        const { forwardBytes, backwardBytes } = node.status()
        return forwardBytes + backwardBytes
      },
      serving: node.serving,
    },
    clock: SYSTEM_CLOCK,
    nowMs: () => Date.now(),
    onChange: ({ state }) => log.info('what the node shares has changed', { state }),
  })
  const looking = setInterval(() => void keeper.look(), LOOK_MS).unref()
  return {
    status: () => statusOf(rules, keeper),
    async [Symbol.asyncDispose]() {
      clearInterval(looking)
      await keeper[Symbol.asyncDispose]()
    },
  }
}

function rulesOf({ quietHours, dailyCapGb, monthlyCapGb, billingDay }: ShareConfig): ShareRules {
  return {
    quietHours: quietHours.flatMap((text) => parseQuietSpan(text) ?? []),
    dailyCapBytes: dailyCapGb * BYTES_PER_GB,
    monthlyCapBytes: monthlyCapGb * BYTES_PER_GB,
    billingDay,
  }
}

function isLimited({ quietHours, dailyCapBytes, monthlyCapBytes }: ShareRules): boolean {
  return quietHours.length > 0 || dailyCapBytes > 0 || monthlyCapBytes > 0
}

function statusOf(rules: ShareRules, { state: now, carried }: ShareKeeper): JsonObject {
  const untilMs = now.state === 'open' ? undefined : now.untilMs
  return {
    state: now.state,
    reason: now.state === 'open' ? null : now.reason,
    until: untilMs === undefined ? null : new Date(untilMs).toISOString(),
    dayBytes: carried.dayBytes,
    dailyCapBytes: rules.dailyCapBytes,
    monthBytes: carried.monthBytes,
    monthlyCapBytes: rules.monthlyCapBytes,
  }
}
