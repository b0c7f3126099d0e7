import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { PathNode } from '@byway/protocol/directory'
import type { CircuitNeed } from '../../src/engine/circuit-need.ts'
import { createSparePaths } from '../../src/engine/spare-paths.ts'
import { keysOf, pathNodes } from './tunnel-world.ts'

const [GUARD, MIDDLE, EXIT, OTHER] = pathNodes(4)

function world() {
  assert.ok(GUARD && MIDDLE && EXIT && OTHER)
  const clock = { nowMs: 0 }
  const needs: CircuitNeed[] = []
  const control: { spare: readonly PathNode[] | undefined } = { spare: [GUARD, OTHER, EXIT] }
  const spares = createSparePaths({
    planner: {
      plan: (need) => {
        needs.push(need)
        return control.spare
      },
    },
    nowMs: () => clock.nowMs,
  })
  return { clock, needs, control, spares, tunnel: { path: [GUARD, MIDDLE, EXIT] } }
}

suite('where a tunnel would go if its relay died (DESIGN §5)', () => {
  test('is around the relay, to the same exit, and is chosen once while nothing changes', () => {
    const { spares, needs, tunnel } = world()
    for (let i = 0; i < 3; i++) {
      const [spare] = spares.of([tunnel])
      assert.deepEqual(spare && keysOf(spare), [GUARD?.key, OTHER?.key, EXIT?.key])
    }
    assert.equal(needs.length, 1)
    assert.equal(needs[0]?.exit, EXIT?.key)
    assert.deepEqual(needs[0]?.excludeNodes, new Set([MIDDLE?.key]))
  })

  test('is chosen anew when the tunnel has moved, and after a minute', () => {
    const { spares, needs, tunnel, clock } = world()
    spares.of([tunnel])
    assert.ok(GUARD && OTHER && EXIT)
    tunnel.path = [GUARD, OTHER, EXIT]
    spares.of([tunnel])
    assert.deepEqual(needs[1]?.excludeNodes, new Set([OTHER.key]))
    clock.nowMs += 60_000
    spares.of([tunnel])
    assert.equal(needs.length, 3)
  })

  test('is none for a tunnel without a relay between its ends, nor where there is no other', () => {
    const { spares, needs, tunnel, control } = world()
    assert.ok(GUARD && EXIT)
    assert.deepEqual(spares.of([{ path: [GUARD, EXIT] }]), [])
    assert.equal(needs.length, 0)
    control.spare = undefined
    assert.deepEqual(spares.of([tunnel]), [])
  })
})
