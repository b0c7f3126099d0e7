/** How often each link may ask for something that costs more than its question. @module */
import type { Link } from '@byway/protocol/link'

/** So many at once, then one an interval, for each link. @param nowMs - monotonic */
export function createLinkBudget(
  nowMs: () => number,
  intervalMs: number,
  burst: number,
): (link: Link) => boolean {
  const budgets = new WeakMap<Link, { left: number; atMs: number }>()
  return (link) => {
    const now = nowMs()
    const before = budgets.get(link) ?? { left: burst, atMs: now }
    const left = Math.min(burst, before.left + (now - before.atMs) / intervalMs)
    budgets.set(link, { left: left >= 1 ? left - 1 : left, atMs: now })
    return left >= 1
  }
}
