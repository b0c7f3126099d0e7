import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { NodeScore } from '@byway/client'
import { nodeKeyOf } from '@byway/protocol/directory'
import type { JsonObject } from '../../src/output.ts'
import { scoreLines, scoresOf } from '../../src/display/score-text.ts'
import { type ScoreLine } from '../../src/display/score-line.ts'

const DAY_MS = 86_400_000
const TOKEN = { tokenDecimals: 6, tokenSymbol: 'USDC' }
const NONE = {
  speed: 1,
  latency: 1,
  success: 1,
  service: 1,
  youth: 1,
  place: 1,
  honesty: 1,
  share: 1,
}

function scoreOf(change: Partial<NodeScore>): NodeScore {
  return {
    nodeId: nodeKeyOf(new Uint8Array(32).fill(0xab)),
    weight: 1,
    share: 0.1,
    factors: NONE,
    moment: { absence: 1, standing: 'usual', payment: 1, isLastGuard: false },
    record: undefined,
    voices: { speedVoices: 0, latencyVoices: 0 },
    uptime: undefined,
    stakeAgeMs: undefined,
    proven: undefined,
    isGuard: false,
    country: '',
    countryBy: undefined,
    claimedCountry: '',
    tooNear: undefined,
    isPublic: true,
    line: { grade: 'open', reasons: [] },
    ...change,
  }
}

function linesOf(change: Partial<NodeScore>): readonly ScoreLine[] {
  return scoreLines(scoreOf(change), TOKEN)
}

function textOf({ text }: JsonObject): string {
  return typeof text === 'string' ? text : ''
}

test('a node that nobody used has nothing against it', () => {
  assert.deepEqual(
    linesOf({}).map(({ reason }) => reason),
    ['unused'],
  )
})

test('each rule that changed the weight is told with what it rests on, and each loss with a remedy', () => {
  const score = scoreOf({
    factors: {
      speed: 2.5,
      latency: 0.625,
      success: 0.25,
      service: 1.5,
      youth: 0.4,
      place: 0.25,
      honesty: 0.01,
      share: 0.5,
    },
    record: { goodputKbps: 2500, success: 0.5 },
    voices: { speedVoices: 2, latencyVoices: 3 },
    stakeAgeMs: 4.6 * DAY_MS,
    proven: { epochs: 3, fees: 5_000_000n, factor: 1.5 },
    country: 'US',
    countryBy: 'network',
    claimedCountry: 'DE',
  })
  const lines = scoreLines(score, TOKEN)
  assert.deepEqual(
    lines.map(({ reason }) => reason),
    ['speed', 'latency', 'failures', 'service', 'young', 'place', 'double', 'share'],
  )
  for (const { factor, evidence, remedy } of lines) {
    assert.ok(evidence !== '')
    assert.equal(remedy === '', factor > 1, evidence)
  }
  assert.match(lines[0]?.evidence ?? '', /2\.50 Mbit\/s .* behind 2 guards/)
  assert.match(lines[1]?.evidence ?? '', /answered 68 ms later than usual.* behind 3 guards/)
  assert.match(lines[2]?.evidence ?? '', /50 % of the last circuits/)
  assert.match(lines[3]?.evidence ?? '', /^5 USDC of fees.* 3 proven epochs of the last 8/)
  assert.match(lines[4]?.evidence ?? '', /4\.6 days ago/)
  assert.match(lines[5]?.evidence ?? '', /says DE, and the network's table says US/)
})

test('service that nobody proved takes nothing, and the way to prove it is told', () => {
  const proven = { epochs: 0, fees: 0n, factor: 1 }
  const [, line] = linesOf({ proven })
  assert.deepEqual([line?.reason, line?.factor], ['service', 1])
  assert.match(line?.remedy ?? '', /commits to the one before/)
  assert.equal(scoreLines(scoreOf({ proven }), undefined).length, 1, 'a network that pays nothing')
})

suite('where a node is', () => {
  const textOfPlace = (change: Partial<NodeScore>): string => {
    const [, line] = linesOf({ country: 'DE', claimedCountry: 'DE', ...change })
    assert.equal(line?.reason, 'place')
    return `${line.evidence}. ${line.remedy}`
  }

  test('is told with who says so', () => {
    assert.match(textOfPlace({ countryBy: 'database' }), /says DE, and your database says DE/)
    assert.match(
      textOfPlace({ countryBy: 'built-in', claimedCountry: '' }),
      /names no country, and the coarse table that comes with byway says DE/,
    )
  })

  test('is its word alone where nobody can look, and an exit without an address is said to exit elsewhere perhaps', () => {
    assert.match(
      textOfPlace({ countryBy: 'claim' }),
      /nothing here knows its address.*its word alone/,
    )
    assert.match(
      textOfPlace({ countryBy: 'claim', isPublic: false }),
      /no public address.*its word alone.*seen by the sites/,
    )
  })

  test('that is contradicted is a deduction with the source and the way to appeal', () => {
    const factors = { ...NONE, place: 0.5 }
    const text = textOfPlace({ factors, country: 'FR', countryBy: 'built-in' })
    assert.match(text, /says DE, and the coarse table.*says FR.*serves nobody who asks for DE/)
    assert.match(
      text,
      /--country FR; where the coarse table.*errs, docs\/PLACE\.md says how to appeal/,
    )
  })

  test('and on what line is a hint with its reasons, which takes nothing', () => {
    const hosting = { reason: 'hosting-as', asn: 24_940, name: 'Hetzner', by: 'database' } as const
    const hidden = { reason: 'no-public-address' } as const
    const lineOf = (line: NodeScore['line']) => linesOf({ line })[1]
    const rented = lineOf({ grade: 'hosting', reasons: [hosting, hidden] })
    assert.deepEqual([rented?.reason, rented?.factor, rented?.remedy], ['line', 1, ''])
    assert.match(
      rented?.evidence ?? '',
      /^probably a rented machine: its AS is 24940 \(Hetzner\), your database says; it has no public address.*A hint/,
    )
    const unlisted = {
      ...hosting,
      reason: 'unlisted-as',
      asn: 3320,
      name: '',
      by: 'claim',
    } as const
    const home = lineOf({ grade: 'maybe-home', reasons: [unlisted] })
    assert.match(home?.evidence ?? '', /^perhaps a home's line: its AS is 3320, it says itself/)
    const late = { reason: 'connects-late', byMs: 80.4, country: 'DE', others: 3 } as const
    const moves = { reason: 'moves-often', moves: 6, days: 2 } as const
    const unlike = lineOf({ grade: 'unlike-home', reasons: [moves, late] })
    assert.equal(unlike?.factor, 1)
    assert.match(
      unlike?.evidence ?? '',
      /^unlike a home's line: its address changed 6 times in 2 days.*begin 80 ms later than those of 3 others in DE: perhaps it sends them on to elsewhere, or its line is slow\. A hint/,
    )
    assert.match(unlike?.remedy ?? '', /docs\/PLACE\.md.*appeal/)
  })
})

test('one node is explained, several are listed, and a stranger is nobody', () => {
  const other = scoreOf({ nodeId: nodeKeyOf(new Uint8Array(32).fill(0xac)), isGuard: true })
  const all = [scoreOf({}), other]
  const list = scoresOf(all, '', TOKEN)
  assert.match(textOf(list), /^abab.* 1\.00 +10\.0 %\nacac.* %  guard$/)
  assert.match(
    textOf(scoresOf(all, 'ac', TOKEN)),
    /^(ac){32}\nweight 1\.00, 10\.0 % of all, a guard/,
  )
  assert.deepEqual(scoresOf(all, 'ff', TOKEN)['scores'], [])
})

test('what holds for a while is told with its factor, and how it ends', () => {
  const moment = { absence: 1e-6, standing: 'left', payment: 0, isLastGuard: true } as const
  const [, absent, payment, guard] = linesOf({ moment, isGuard: true })
  assert.deepEqual([absent?.reason, absent?.factor], ['absent', 1e-6])
  assert.match(absent?.remedy ?? '', /first circuit that reaches it/)
  assert.deepEqual([payment?.reason, payment?.factor], ['payment', 0])
  assert.match(`${payment?.evidence} ${payment?.remedy}`, /did not serve.*after six hours/)
  assert.deepEqual([guard?.reason, guard?.factor], ['last-guard', 1])
  assert.match(guard?.evidence ?? '', /used last: clearly more circuits fail behind it/)
  for (const [standing, words] of [
    ['too-dear', /more than the client pays.*--price.*--max-price/],
    ['no-slot', /no slot of its deposit left.*byway wallet show/],
    ['beyond', /pays six other nodes/],
  ] as const) {
    const change = { ...moment, absence: 1, standing, isLastGuard: false, payment: 0.001 }
    const [, line, ...more] = linesOf({ moment: change })
    assert.deepEqual([line?.reason, line?.factor, more], ['payment', 0.001, []])
    assert.match(`${line?.evidence} ${line?.remedy}`, words)
  }
})

test('a weight that is next to nothing is not told as none, and a row says why', () => {
  const moment = { absence: 1, standing: 'beyond', payment: 0.001, isLastGuard: false } as const
  const score = scoreOf({ moment, weight: 0.00123, share: 0 })
  const list = textOf(scoresOf([score, scoreOf({ weight: 0 })], '', TOKEN))
  assert.match(list, /^abab\S+ +weight +0\.001 +0\.0 %  payment\nabab\S+ +weight +0\.00 /)
  const one = textOf(scoresOf([score], '', TOKEN))
  assert.match(one, /weight 0\.001, .*× 0\.001 .*pays six other nodes/s)
})

test('how long a node is likely to stay is told, and changes no weight', () => {
  const uptime = { upMs: 11 * 3_600_000, departures: 1, isUp: true, atMs: 0, doubters: [] }
  const [, line] = linesOf({ uptime })
  assert.deepEqual([line?.reason, line?.factor], ['uptime', 1])
  assert.match(
    line?.evidence ?? '',
    /^it was seen up for 11\.0 hours, and went once: half of such nodes stay another 5\.0 hours\..*× 0\.21$/,
  )
  assert.match(line?.remedy ?? '', /^keep it running/)
  const [, gone] = linesOf({ uptime: { ...uptime, isUp: false } })
  assert.match(gone?.evidence ?? '', /it has gone and was not seen again\..*× 0\.02$/)
  const [, old] = linesOf({ uptime: { ...uptime, upMs: 9 * DAY_MS, departures: 0 } })
  assert.match(old?.evidence ?? '', /^it was seen up for 9\.0 days, and never went: .*× 1\.00$/)
  assert.equal(old?.remedy, '')
  assert.equal(linesOf({ uptime: { ...uptime, upMs: 0 } }).length, 1, 'who was only just heard of')
})

test('a node that answers sooner than light loses, and is told who saw it and how near', () => {
  const tooNear = { observers: 3, country: 'FR', rttMs: 18.2, km: 8412.3 }
  const factors = { ...NONE, place: 0.25 }
  const [, line] = linesOf({
    factors,
    country: 'JP',
    countryBy: 'claim',
    claimedCountry: 'JP',
    tooNear,
  })
  assert.deepEqual([line?.reason, line?.factor], ['place', 0.25])
  assert.equal(
    line?.evidence,
    'it says JP, and answered within 18 ms by way of FR, which is 8412 km away at least: light takes longer (3 observers agree). It serves nobody who asks for JP',
  )
  assert.match(line?.remedy ?? '', /--country where it is/)
})

test('a node without an address that its relays see elsewhere loses, and is told so', () => {
  const factors = { ...NONE, place: 0.5 }
  const change = {
    country: 'DE',
    countryBy: 'relays',
    claimedCountry: 'JP',
    isPublic: false,
  } as const
  const [, line] = linesOf({ ...change, factors })
  assert.match(
    line?.evidence ?? '',
    /^it says JP, and what two of its relays see says DE of its address/,
  )
  const [, agreed] = linesOf({ ...change, claimedCountry: 'DE' })
  assert.equal(
    agreed?.evidence,
    'it says DE, and what two of its relays see says DE of its address',
  )
})
