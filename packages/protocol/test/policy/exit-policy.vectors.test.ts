/** Runs `vectors/exit-policy.json` (SPEC §11): every case must give its verdict, its reason and its pin. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Answers, judge, parsePolicyContext, parsePortProfile } from '@byway/protocol/policy'

type Case = {
  readonly id: string
  readonly kind: 'ip' | 'name'
  readonly host: string
  readonly port: number
  readonly answers?: Answers
  readonly profile?: string
  readonly ctx?: unknown
  readonly verdict: 'allow' | 'deny'
  readonly reason: string
  readonly note: string
  readonly pin?: string
}

const file = new URL('../../../../vectors/exit-policy.json', import.meta.url)
const cases = JSON.parse(readFileSync(file, 'utf8')) as readonly Case[]

test('the corpus holds its 107 cases, with allowed and denied ones', () => {
  assert.equal(cases.length, 107)
  assert.ok(cases.some((entry) => entry.verdict === 'allow'))
  assert.ok(cases.some((entry) => entry.verdict === 'deny'))
})

for (const entry of cases) {
  test(`${entry.id}: ${entry.verdict} for ${entry.reason} ${entry.note && `(${entry.note})`}`, () => {
    const parsed = parsePolicyContext(entry.ctx)
    assert.ok('context' in parsed)
    const verdict = judge({
      host: entry.host,
      port: entry.port,
      answers: entry.answers,
      profile: parsePortProfile(entry.profile ?? 'web'),
      context: parsed.context,
    })
    assert.equal(verdict.verdict, entry.verdict)
    assert.equal(verdict.reason, entry.reason)
    if (entry.pin !== undefined) assert.equal(verdict.verdict === 'allow' && verdict.pin, entry.pin)
  })
}
