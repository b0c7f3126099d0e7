import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeScore } from '@byway/client'
import { nodeKeyOf } from '@byway/protocol/directory'
import type { JsonObject } from '../../src/output.ts'
import { scoreLines, scoresOf } from '../../src/display/score-text.ts'

const DAY_MS = 86_400_000
const NONE = { speed: 1, success: 1, youth: 1, place: 1, honesty: 1, share: 1 }

function scoreOf(change: Partial<NodeScore>): NodeScore {
  return {
    nodeId: nodeKeyOf(new Uint8Array(32).fill(0xab)),
    weight: 1,
    share: 0.1,
    factors: NONE,
    record: undefined,
    stakeAgeMs: undefined,
    isGuard: false,
    country: 'DE',
    claimedCountry: 'DE',
    ...change,
  }
}

function textOf({ text }: JsonObject): string {
  return typeof text === 'string' ? text : ''
}

test('a node that nobody used has nothing against it', () => {
  assert.deepEqual(
    scoreLines(scoreOf({})).map(({ reason }) => reason),
    ['unused'],
  )
})

test('each rule that changed the weight is told with what it rests on, and each loss with a remedy', () => {
  const score = scoreOf({
    factors: { speed: 2.5, success: 0.25, youth: 0.4, place: 0.25, honesty: 0.01, share: 0.5 },
    record: { goodputKbps: 2500, success: 0.5, dayStartMs: 0, dayStartKbps: 1000 },
    stakeAgeMs: 4.6 * DAY_MS,
    country: 'US',
  })
  const lines = scoreLines(score)
  assert.deepEqual(
    lines.map(({ reason }) => reason),
    ['speed', 'failures', 'young', 'place', 'double', 'share'],
  )
  for (const { factor, evidence, remedy } of lines) {
    assert.ok(evidence !== '')
    assert.equal(remedy === '', factor > 1, evidence)
  }
  assert.match(lines[0]?.evidence ?? '', /2\.50 Mbit\/s/)
  assert.match(lines[1]?.evidence ?? '', /50 % of the last circuits/)
  assert.match(lines[2]?.evidence ?? '', /4\.6 days ago/)
  assert.match(lines[3]?.evidence ?? '', /says DE, and the network's table says US/)
})

test('one node is explained, several are listed, and a stranger is nobody', () => {
  const other = scoreOf({ nodeId: nodeKeyOf(new Uint8Array(32).fill(0xac)), isGuard: true })
  const all = [scoreOf({}), other]
  const list = scoresOf(all, '')
  assert.match(textOf(list), /^abab.*\nacac.*guard$/)
  assert.match(textOf(scoresOf(all, 'ac')), /^(ac){32}\nweight 1\.00, 10\.0 % of all, a guard/)
  assert.deepEqual(scoresOf(all, 'ff')['scores'], [])
})
