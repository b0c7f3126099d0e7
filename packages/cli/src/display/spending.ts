/** What the client spends, for `byway status` and for a person at the terminal. */
import type { MoneyNotice, MoneyStatus, RestStatus } from '@byway/client'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { JsonObject } from '../output.ts'
import { formatAmount } from '../wallet/amounts.ts'
import { describeAmount } from './earnings.ts'

type Token = Pick<PaymentParameters, 'tokenDecimals' | 'tokenSymbol'>

/** The sums as scripts see them: whole tokens as text, hops by their ids, dearest first. */
export function spendingFields(money: MoneyStatus, token: Token): JsonObject {
  const amount = (value: bigint): string => formatAmount(value, token.tokenDecimals)
  const { slots, budget, perGib } = money
  return {
    token: token.tokenSymbol,
    session: amount(money.session),
    month: amount(money.month),
    budget: budget === undefined ? null : amount(budget),
    perGib: perGib === undefined ? null : amount(perGib),
    left: amount(money.unshownValue),
    slots: { ...slots },
    returns: { ...money.returns },
    small: money.small ? smallFields(money.small, token) : null,
    canBegin: money.canBegin,
    isProvided: money.isProvided,
    hops: money.hops.map(({ hop, amount: cost, units, bytes }) => ({
      node: hop,
      cost: amount(cost),
      units,
      bytes,
    })),
  }
}

/** What makes no slot, and what becomes of it. */
function smallFields({ waiting, joining, nextAtMs }: RestStatus, token: Token): JsonObject {
  const amount = (value: bigint): string => formatAmount(value, token.tokenDecimals)
  return {
    waiting: { ...waiting, value: amount(waiting.value) },
    joining: { ...joining, value: amount(joining.value) },
    nextAt: nextAtMs === undefined ? null : new Date(nextAtMs).toISOString(),
  }
}

/** One line for people. */
export function describeSpending(money: MoneyStatus, token: Token): string {
  const { budget, perGib, slots } = money
  const parts = [
    `${describeAmount(money.session, token)} in this session`,
    `${describeAmount(money.month, token)} this month${budget === undefined ? '' : ` of ${describeAmount(budget, token)}`}`,
    ...(perGib === undefined ? [] : [`${describeAmount(perGib, token)} a GiB`]),
    `${describeAmount(money.unshownValue, token)} left in ${slots.unshown} slots`,
  ]
  return parts.join(', ')
}

/** What happened to the money, for people; undefined for what is of no use to them. */
export function describeNotice(notice: MoneyNotice): string | undefined {
  switch (notice.type) {
    case 'depositLow':
      return `the deposit runs low: ${notice.unshown} slots are left. See \`byway wallet deposit\``
    case 'proving':
      return notice.proved < notice.wanted
        ? `proving slots, a second or two each: ${notice.proved} of the first ${notice.wanted}`
        : 'the first slots are proved'
    case 'slotsUnknown':
      return `${notice.slots} slots are not used: what was done with them before the state was lost is not known. \`byway wallet refund\` has them back as fresh deposits`
    case 'budgetSpent':
      return 'the budget of this month is spent: nothing more is paid. Raise it with --budget'
    case 'recordsLost':
      return 'the records of which slots were shown are lost, or older than the chain: all that was deposited until now counts as shown and is not used. Deposit anew; `byway wallet refund` has the old deposits back as fresh ones'
    case 'cheated':
      return 'a hop took pay and broke its side of it; it is left alone'
    case 'returnsDelayed':
      return `what is left in slots could not be asked back now (${notice.code}): it is tried again by itself, and no payment waits for it`
    case 'unpayable':
      return undefined
  }
}
