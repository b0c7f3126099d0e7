import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { NodeKey } from '@byway/protocol/directory'
import { besideFirst, preferStanding } from '../../src/engine/guard-order.ts'
import type { GuardOrderDeps } from '../../src/engine/guard-order.ts'
import { entryOf } from './drawn-nodes.ts'

const [A, B, C] = [entryOf(1).key, entryOf(2).key, entryOf(3).key] as const

type Facts = {
  readonly standing?: readonly NodeKey[]
  readonly draining?: readonly NodeKey[]
  readonly suspect?: readonly NodeKey[]
  readonly levels?: readonly NodeKey[]
}

function depsOf({ standing = [], draining = [], suspect = [], levels = [A] }: Facts) {
  return {
    links: {
      get: (key: NodeKey) =>
        standing.includes(key) ? { isDraining: draining.includes(key) } : undefined,
    },
    isSuspect: (key: NodeKey) => suspect.includes(key),
    hasLevel: (key: NodeKey) => levels.includes(key),
  } as unknown as GuardOrderDeps
}

test('guards that stand come first, then those that do not, those that stop, and suspects', () => {
  const deps = depsOf({ standing: [A, B], draining: [B], suspect: [A] })
  assert.deepEqual(preferStanding([A, B, C], deps), [C, B, A])
})

suite('a circuit that shall begin beside the first guard', () => {
  const order = [A, B, C]

  test('begins at one of those that stand, any of them', () => {
    const deps = depsOf({ standing: [A, B, C] })
    assert.deepEqual(
      besideFirst(order, deps, () => 0),
      [B, A, C],
    )
    assert.deepEqual(
      besideFirst(order, deps, () => 0.99),
      [C, A, B],
    )
  })

  for (const [name, facts] of [
    ['nothing was measured behind the first', { standing: [A, B, C], levels: [] }],
    ['no other stands', { standing: [A] }],
    ['the other stops', { standing: [A, B], draining: [B] }],
    ['the other is suspect', { standing: [A, B], suspect: [B] }],
  ] as const satisfies readonly (readonly [string, Facts])[]) {
    test(`begins at the first all the same where ${name}`, () => {
      assert.deepEqual(
        besideFirst(order, depsOf(facts), () => 0),
        order,
      )
    })
  }
})
