/** A client that goes shopping at a test hop: visits on circuits of their own, with a clock that moves until they are over. */
import { toHex } from '@byway/protocol/base'
import type { TokenOrder } from '@byway/protocol/payment'
import { unitsOfToken } from '@byway/protocol/payment'
import { PAY, TOKEN_KIND } from '@byway/protocol/wire'
import type { TokenKind } from '@byway/protocol/wire'
import type { HopAccount } from '../../src/money/hop-account.ts'
import { tariffOf } from '../../src/money/tariff.ts'
import { visitHop } from '../../src/money/visit.ts'
import { NEVER } from './money-world.ts'
import type { MoneyWorld } from './money-world.ts'
import { POOL } from './test-hop.ts'
import type { TestHop } from './test-hop.ts'

export type Shopping = {
  readonly faults: string[]
  readonly accounts: Map<string, HopAccount>
  /** Each slot that was shown, with the number of its circuit. */
  readonly circuits: Map<string, number>
  /** Of the latest visit. */
  carrier: ReturnType<TestHop['carrier']> | undefined
  /** Resolves when the latest visit's circuit was closed. */
  left: Promise<void>
  /** Runs whenever tokens were bought. */
  onStocked: () => void
  /** Moves the clock until the visit is over. */
  go(orders?: readonly TokenOrder[], signal?: AbortSignal): Promise<void>
}

export function shop(world: MoneyWorld, hop: TestHop, issueDelayMs = 0): Shopping {
  const faults: string[] = []
  const accounts = new Map<string, HopAccount>()
  let opened = 0
  const circuits = new Map<string, number>()
  const open = async (): Promise<ReturnType<TestHop['carrier']>> => {
    const [carrier, circuit] = [hop.carrier(), ++opened]
    const send = carrier.send.bind(carrier)
    carrier.send = (messages) => {
      for (const message of messages)
        if (message.kind === PAY.SHOW) circuits.set(toHex(message.opening.nullifier), circuit)
      send(messages)
    }
    return (shopping.carrier = carrier)
  }
  const deps = {
    ...world.sessionDeps,
    open,
    stock: world.stock,
    tariffOf: (node: TestHop['node']) => tariffOf(POOL, node),
    accounts,
    onLeaving: (left: Promise<void>) => void (shopping.left = left),
    onStocked: () => shopping.onStocked(),
    issueDelayMs,
    onFault: ({ key }: TestHop['node']) => void faults.push(key),
    nowMs: world.timers.nowMs,
  }
  const shopping: Shopping = {
    faults,
    accounts,
    circuits,
    carrier: undefined,
    left: Promise.resolve(),
    onStocked() {},
    async go(orders = bothOrders(hop), signal = NEVER) {
      const kinds = Object.values(TOKEN_KIND)
      await world.stock.open(nodeIdOf(hop), kinds, world.timers.nowMs())
      const state = { isOver: false }
      const visit = visitHop(deps, hop.node, orders, signal).finally(() => (state.isOver = true))
      const outcome = Promise.allSettled([visit])
      while (!state.isOver) await world.timers.pass(hop.unanswered > 0 ? 0 : 250)
      await outcome
      await visit
    },
  }
  return shopping
}

export const nodeIdOf = ({ node }: TestHop): Uint8Array => node.entry.descriptor.nodeId

export function order(hop: TestHop, kind: TokenKind, count: number): TokenOrder {
  return { node: nodeIdOf(hop), kind, count, units: count * unitsOfToken(kind) }
}

export function bothOrders(hop: TestHop): readonly TokenOrder[] {
  return [order(hop, TOKEN_KIND.BANDWIDTH, 4), order(hop, TOKEN_KIND.ADMISSION, 8)]
}

export function held(world: MoneyWorld, hop: TestHop): readonly number[] {
  const kinds = [TOKEN_KIND.BANDWIDTH, TOKEN_KIND.ADMISSION] as const
  return kinds.map((kind) => world.stock.held(nodeIdOf(hop), kind))
}

export const paid = ({ tickets }: TestHop): bigint =>
  tickets.reduce((sum, { amount }) => sum + amount, 0n)
