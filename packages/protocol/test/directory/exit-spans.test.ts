import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createExitSpans, type ExitSpan, type ExitSpanChange } from '@byway/protocol/directory'
import { nodeCrypto } from '../../src/crypto/node-provider.ts'
import { DAWN_S, DAY_S, edition } from './exit-world.ts'
import { ipv4 } from './registry.ts'

const HOUR_S = 3600
const at = (text: string): { addresses: ReturnType<typeof ipv4>[] } => ({ addresses: [ipv4(text)] })
const changesOf = (changes: readonly ExitSpanChange[]): string[] =>
  changes.map(({ change }) => change)

test('a span goes on with each edition that names its address, and is over with one that does not', () => {
  const spans = createExitSpans(nodeCrypto)
  const begun = spans.note(edition(1, DAWN_S, at('192.0.2.1')), DAWN_S + 9, () => true)
  assert.deepEqual(changesOf(begun), ['begun'])
  assert.equal(begun[0]?.span.fromS, DAWN_S + 9)
  const later = DAWN_S + 12 * HOUR_S
  assert.deepEqual(changesOf(spans.note(edition(1, later, at('192.0.2.1')), later, () => true)), [
    'goes on',
  ])
  const moved = spans.note(edition(1, later + 60, at('192.0.2.2')), later + 70, () => true)
  assert.deepEqual(changesOf(moved), ['over', 'begun'])
  assert.deepEqual([moved[0]?.span.fromS, moved[0]?.span.untilS], [DAWN_S + 9, later + 70])
  const relay = edition(1, later + 120, { ...at('192.0.2.2'), roles: 1, exitProfile: 0 })
  assert.deepEqual(changesOf(spans.note(relay, later + 120, () => true)), ['over'])
  assert.equal(spans.openCount, 0)
})

test('a span is over when its last edition expires, and one after a gap is another', () => {
  const spans = createExitSpans(nodeCrypto)
  spans.note(edition(1, DAWN_S), DAWN_S, () => true)
  assert.deepEqual(spans.sweep(DAWN_S + 2 * DAY_S - 1), [])
  const late = DAWN_S + 5 * DAY_S
  const changes = spans.note(edition(1, late), late, () => true)
  assert.deepEqual(changesOf(changes), ['over', 'begun'])
  assert.equal(changes[0]?.span.untilS, DAWN_S + 2 * DAY_S)
  const [over] = spans.sweep(late + 3 * DAY_S)
  assert.equal(over?.untilS, late + 2 * DAY_S)
})

test('two addresses of one exit are two spans, and a change of port is none', () => {
  const spans = createExitSpans(nodeCrypto)
  const six = { family: 6 as const, bytes: new Uint8Array(16).fill(0x20), port: 443 }
  const named = (port: number, atS: number): readonly string[] =>
    changesOf(
      spans.note(edition(1, atS, { addresses: [ipv4('192.0.2.1', port), six] }), atS, () => true),
    )
  assert.deepEqual(named(1, DAWN_S), ['begun', 'begun'])
  assert.deepEqual(named(2, DAWN_S + 60), ['goes on', 'goes on'])
})

test('what was not reached begins no span, and one that is lost is over until it is reached again', () => {
  const spans = createExitSpans(nodeCrypto)
  const claimed = edition(1, DAWN_S, at('192.0.2.1'))
  assert.deepEqual(
    spans.note(claimed, DAWN_S + 5, () => false),
    [],
  )
  const [begun] = spans.note(claimed, DAWN_S + 60, () => true)
  assert.equal(begun?.span.fromS, DAWN_S + 60)
  // An edition of one that goes on needs no trial of its own.
  const next = edition(1, DAWN_S + HOUR_S, at('192.0.2.1'))
  assert.deepEqual(changesOf(spans.note(next, DAWN_S + HOUR_S, () => false)), ['goes on'])
  const { nodeId, name } = begun?.span ?? assert.fail()
  assert.equal(spans.lose(nodeId, name, DAWN_S + 2 * HOUR_S)?.untilS, DAWN_S + 2 * HOUR_S)
  assert.equal(spans.lose(nodeId, name, DAWN_S + 2 * HOUR_S), undefined)
  assert.equal(spans.openCount, 0)
  const again = spans.note(next, DAWN_S + 3 * HOUR_S, () => true)
  assert.deepEqual([changesOf(again), again[0]?.span.fromS], [['begun'], DAWN_S + 3 * HOUR_S])
})

test('an exit that changes its address all the time cannot flood the record', () => {
  const spans = createExitSpans(nodeCrypto)
  let begun = 0
  for (let hour = 0; hour < 24 * 30; hour++) {
    const nowS = DAWN_S + hour * HOUR_S
    const changed = edition(1, nowS, at(`192.0.${hour >> 8}.${hour & 255}`))
    begun += changesOf(spans.note(changed, nowS, () => true)).filter(
      (each) => each === 'begun',
    ).length
  }
  // Four at once, and four a day.
  assert.ok(begun >= 4 * 29 && begun <= 4 + 4 * 30, `${begun}`)
})

test('a page has what began before its end and is not on an earlier page', () => {
  const spans = createExitSpans(nodeCrypto)
  const dusk = DAWN_S + DAY_S
  spans.note(edition(1, DAWN_S), DAWN_S + 5, () => true)
  spans.note(edition(2, DAWN_S), DAWN_S + 5, () => true)
  spans.note(edition(2, DAWN_S + 10, { roles: 1, exitProfile: 0 }), DAWN_S + 10, () => true)
  spans.note(edition(3, dusk), dusk, () => true)
  assert.deepEqual(
    spans
      .onPage(dusk)
      .map(({ untilS }) => untilS)
      .toSorted((a, b) => a - b),
    [0, DAWN_S + 10],
  )
  spans.turn(dusk)
  assert.deepEqual(
    spans.onPage(dusk + DAY_S).map(({ untilS }) => untilS),
    [0, 0],
  )
})

/** Editions of three exits, each under one of two addresses or none, with any time between them. */
const story = fc.array(
  fc.record({
    number: fc.integer({ min: 1, max: 3 }),
    address: fc.constantFrom('192.0.2.1', '192.0.2.2', undefined),
    waitS: fc.integer({ min: 0, max: 4 * DAY_S }),
  }),
  { maxLength: 25 },
)

test('what is kept goes on after a restart as if there had been none', () => {
  fc.assert(
    fc.property(story, fc.nat(24), (steps, stop) => {
      const whole = createExitSpans(nodeCrypto)
      let halved = createExitSpans(nodeCrypto)
      let kept = new Map<string, ExitSpan>()
      let nowS = DAWN_S
      const keep = (spans: readonly ExitSpan[]): void => {
        for (const span of spans) kept.set(keyOf(span), span)
      }
      for (const [index, { number, address, waitS }] of steps.entries()) {
        nowS += waitS
        const role = address ? at(address) : { roles: 1, exitProfile: 0 as const }
        const entry = edition(number, nowS, role)
        if (index === stop) halved = createExitSpans(nodeCrypto, [...kept.values()])
        whole.note(entry, nowS, () => true)
        keep(halved.note(entry, nowS, () => true).map(({ span }) => span))
      }
      const endS = nowS + DAY_S
      const left = halved.onPage(endS)
      assert.deepEqual(left, whole.onPage(endS))
      // No two spans of one exit under one address overlap.
      for (const span of left)
        for (const other of left)
          if (span !== other && nameOf(span) === nameOf(other))
            assert.ok(endOf(span) <= other.fromS || endOf(other) <= span.fromS)
      kept = new Map()
    }),
  )
})

const nameOf = ({ nodeId, name }: ExitSpan): string => Buffer.concat([nodeId, name]).toString('hex')
const keyOf = (span: ExitSpan): string => `${nameOf(span)} ${span.fromS}`
const endOf = ({ untilS }: ExitSpan): number => untilS || Number.POSITIVE_INFINITY
