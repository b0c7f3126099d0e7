import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { writePrivateFile } from '@byway/home'
import {
  CONSENT_PHRASE,
  CONSENT_TEXT,
  CONSENT_TEXT_VERSION,
  consentCovers,
  readConsent,
  removeConsent,
  untilConsentEnds,
  writeConsent,
  writeLocalConsent,
} from '@byway/node'

const NOW_MS = Date.UTC(2026, 10, 20)
const DAY_MS = 86_400_000
const PUBLIC = { local: false }
const LOCAL = { local: true }
const BROWSE = ['browse'] as const

async function home(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'byway-consent-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

test('binds the version to the text: a changed text needs a new version, and this hash', () => {
  const hash = createHash('sha256').update(CONSENT_TEXT).update(CONSENT_PHRASE).digest('hex')
  const known = {
    1: '12db2ad8f8bf609544544e9c7de93ab6d1213daf5c3ad5555d46d7ab3c4094ce',
    2: 'c16cb14de8eb517ef3f89b6cb5cff3563d5e6db8df7bd9abb3c7f9b6c4572ccd',
  } as Readonly<Record<number, string>>
  assert.equal(hash, known[CONSENT_TEXT_VERSION])
})

test('finds no consent in a fresh state folder', async (t) => {
  const state = await readConsent(await home(t), NOW_MS)
  assert.deepEqual(state, { state: 'none' })
  assert.equal(consentCovers(state, LOCAL), false)
})

test('stores consent with the text version and the time, for the owner only', async (t) => {
  const path = await home(t)
  await writeConsent(path, NOW_MS, BROWSE)
  const file = join(path, 'exit-consent.json')
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), {
    textVersion: CONSENT_TEXT_VERSION,
    agreedAt: '2026-11-20T00:00:00.000Z',
    scope: 'internet',
    classes: ['browse'],
  })
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const state = await readConsent(path, NOW_MS)
  assert.equal(consentCovers(state, PUBLIC) && consentCovers(state, LOCAL), true)
})

test('asks again after twelve months, to the millisecond', async (t) => {
  const path = await home(t)
  await writeConsent(path, NOW_MS, BROWSE)
  assert.equal((await readConsent(path, NOW_MS + 365 * DAY_MS - 1)).state, 'given')
  assert.equal((await readConsent(path, NOW_MS + 365 * DAY_MS)).state, 'expired')
})

test('does not believe a record from the future', async (t) => {
  const path = await home(t)
  await writeConsent(path, NOW_MS + 2 * DAY_MS, BROWSE)
  assert.equal((await readConsent(path, NOW_MS)).state, 'unreadable')
})

const RECORD = {
  textVersion: CONSENT_TEXT_VERSION,
  agreedAt: '2026-11-20T00:00:00Z',
  scope: 'internet',
  classes: ['browse'],
}
const BROKEN: readonly (readonly [what: string, text: string, state: string])[] = [
  ['another text version', JSON.stringify({ ...RECORD, textVersion: 0 }), 'text-changed'],
  ['no text version', JSON.stringify({ ...RECORD, textVersion: undefined }), 'unreadable'],
  ['a time that is none', JSON.stringify({ ...RECORD, agreedAt: 'yes' }), 'unreadable'],
  ['no classes', JSON.stringify({ ...RECORD, classes: undefined }), 'unreadable'],
  ['an empty list of classes', JSON.stringify({ ...RECORD, classes: [] }), 'unreadable'],
  ['an unknown class', JSON.stringify({ ...RECORD, classes: ['browse', 'all'] }), 'unreadable'],
  [
    'a text of before there were classes',
    JSON.stringify({ ...RECORD, textVersion: 1, classes: undefined }),
    'text-changed',
  ],
  ['an unknown scope', JSON.stringify({ ...RECORD, scope: 'all' }), 'unreadable'],
  ['no object', '"internet"', 'unreadable'],
  ['null', 'null', 'unreadable'],
  ['half a file', '{"textVersion":', 'unreadable'],
  ['nothing', '', 'unreadable'],
]
for (const [what, text, state] of BROKEN) {
  test(`takes a record with ${what} for no consent`, async (t) => {
    const path = await home(t)
    await writePrivateFile(join(path, 'exit-consent.json'), text)
    const found = await readConsent(path, NOW_MS)
    assert.equal(found.state, state)
    assert.equal(consentCovers(found, LOCAL), false)
  })
}

test('refuses a record that others on the machine could have written', async (t) => {
  const path = await home(t)
  await writeConsent(path, NOW_MS, BROWSE)
  await chmod(join(path, 'exit-consent.json'), 0o666)
  await assert.rejects(readConsent(path, NOW_MS), { code: 'HOME_FILE_OPEN' })
})

test('lets a program consent for a network on this machine, and for no other', async (t) => {
  const path = await home(t)
  await assert.rejects(writeLocalConsent(path, NOW_MS, PUBLIC, BROWSE), {
    code: 'CONSENT_NOT_LOCAL',
  })
  assert.equal((await readConsent(path, NOW_MS)).state, 'none')
  await writeLocalConsent(path, NOW_MS, LOCAL, BROWSE)
  const state = await readConsent(path, NOW_MS)
  assert.equal(consentCovers(state, LOCAL), true)
  assert.equal(consentCovers(state, PUBLIC), false)
})

test('tells a running exit when the consent is withdrawn', async (t) => {
  const path = await home(t)
  await writeConsent(path, NOW_MS, BROWSE)
  const ended = untilConsentEnds(path, PUBLIC, {
    nowMs: () => NOW_MS,
    signal: t.signal,
    classes: BROWSE,
    pollMs: 5,
  })
  assert.equal(await removeConsent(path), true)
  await ended
  assert.equal(await removeConsent(path), false)
})

test('tells a running exit when the consent runs out', async (t) => {
  const path = await home(t)
  await writeConsent(path, NOW_MS, BROWSE)
  let nowMs = NOW_MS
  const ended = untilConsentEnds(path, PUBLIC, {
    nowMs: () => nowMs,
    signal: t.signal,
    classes: BROWSE,
    pollMs: 5,
  })
  nowMs += 365 * DAY_MS
  await ended
})

test('covers the classes that were agreed to, and no other', async (t) => {
  const path = await home(t)
  await writeConsent(path, NOW_MS, BROWSE)
  const found = await readConsent(path, NOW_MS)
  assert.equal(consentCovers(found, PUBLIC, ['browse']), true)
  assert.equal(consentCovers(found, PUBLIC, ['browse', 'collect']), false)
  await writeConsent(path, NOW_MS, ['browse', 'collect'])
  const both = await readConsent(path, NOW_MS)
  assert.ok(both.state === 'given')
  assert.deepEqual(both.consent.classes, ['browse', 'collect'])
  assert.equal(consentCovers(both, PUBLIC, ['collect']), true)
})

test('tells a running exit when one of its classes is withdrawn', async (t) => {
  const path = await home(t)
  await writeConsent(path, NOW_MS, ['browse', 'collect'])
  const options = { nowMs: () => NOW_MS, signal: t.signal, pollMs: 5 }
  const ended = untilConsentEnds(path, PUBLIC, { ...options, classes: ['collect'] })
  await writeConsent(path, NOW_MS, BROWSE)
  await ended
})

test('stops watching when told so', async (t) => {
  const path = await home(t)
  await writeConsent(path, NOW_MS, BROWSE)
  const stop = new AbortController()
  const watching = untilConsentEnds(path, PUBLIC, {
    nowMs: () => NOW_MS,
    signal: stop.signal,
    classes: BROWSE,
  })
  stop.abort()
  await assert.rejects(watching, { name: 'AbortError' })
})
