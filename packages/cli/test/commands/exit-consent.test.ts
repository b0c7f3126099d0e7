import assert from 'node:assert/strict'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { CONSENT_PHRASE, readConsent, writeConsent } from '@byway/node'
import { disableExit, enableExit } from '../../src/commands/exit-consent.ts'
import type { CliIo } from '../../src/io.ts'
import { isCi } from '../../src/io.ts'
import { createOutput } from '../../src/output.ts'
import { byway, LAUNCHER, temporaryHome } from '../spawn-byway.ts'

const NOW_MS = Date.UTC(2026, 10, 20)

/** A person at a terminal who types `answer`. */
function person(home: string, answer: string): { io: CliIo; shown: () => string } {
  let shown = ''
  const io: CliIo = {
    env: { BYWAY_HOME: home },
    isInteractive: true,
    signal: new AbortController().signal,
    nowMs: () => NOW_MS,
    writeOut: (text) => (shown += text),
    writeErr: (text) => (shown += text),
    ask: (question) => {
      shown += question
      return Promise.resolve(answer)
    },
    askHidden: () => Promise.reject(new Error('nothing is secret here')),
  }
  return { io, shown: () => shown }
}

test('shows the text, takes the phrase and stores the consent', async (t) => {
  const home = await temporaryHome(t)
  const { io, shown } = person(home, ` ${CONSENT_PHRASE} `)
  await enableExit({ io, output: createOutput(io, false) })
  assert.match(shown(), /police will see YOUR address/)
  assert.equal((await readConsent(home, NOW_MS)).state, 'given')
})

for (const answer of [
  '',
  'yes',
  'y',
  CONSENT_PHRASE.toUpperCase(),
  `${CONSENT_PHRASE}!`,
  CONSENT_PHRASE.slice(1),
]) {
  test(`changes nothing when "${answer}" is typed`, async (t) => {
    const home = await temporaryHome(t)
    const { io } = person(home, answer)
    await assert.rejects(enableExit({ io, output: createOutput(io, false) }), {
      code: 'CONSENT_PHRASE',
    })
    assert.deepEqual(await readdir(home), [])
  })
}

test('asks nobody, and changes nothing, when there is no terminal', async (t) => {
  const home = await temporaryHome(t)
  const { code, out, err } = await byway(['exit', 'enable'], {
    env: { BYWAY_HOME: home },
    input: `${CONSENT_PHRASE}\n`,
  })
  assert.deepEqual([code, out], [77, ''])
  assert.match(err, /^byway: consent must be typed by a person at a terminal\nhint: /)
  assert.deepEqual(await readdir(home), [])
})

test('has no option, file or variable that stands in for a person', async (t) => {
  const home = await temporaryHome(t)
  await writeFile(join(home, 'config.toml'), '[exit]\nprofile = "web"\n')
  for (const option of ['--yes', '-y', '--force', '--accept']) {
    assert.equal((await byway(['exit', 'enable', option], { env: { BYWAY_HOME: home } })).code, 64)
  }
  assert.equal((await readConsent(home, NOW_MS)).state, 'none')
})

test('takes a typed phrase at a real terminal, and refuses the same terminal in CI', async (t) => {
  const home = await temporaryHome(t)
  const line = `'${process.execPath}' '${LAUNCHER}' exit enable`
  const command = ['script', '--quiet', '--return', '--command', line, '/dev/null'] as const
  const options = { command: [...command] as [string, ...string[]], input: `${CONSENT_PHRASE}\n` }
  const inCi = await byway([], { ...options, env: { BYWAY_HOME: home, CI: 'true' } })
  assert.equal(inCi.code, 77)
  assert.equal((await readConsent(home, Date.now())).state, 'none')
  const { code, out } = await byway([], { ...options, env: { BYWAY_HOME: home } })
  assert.equal(code, 0, out)
  assert.equal((await readConsent(home, Date.now())).state, 'given')
  assert.equal((await stat(home)).mode & 0o777, 0o700)
})

test('knows the marks of CI', () => {
  for (const env of [
    { CI: 'true' },
    { CI: '1' },
    { GITHUB_ACTIONS: 'true' },
    { BUILD_NUMBER: '7' },
  ]) {
    assert.equal(isCi(env), true)
  }
  for (const env of [{}, { CI: '' }, { CI: 'false' }, { CI: '0' }]) assert.equal(isCi(env), false)
})

test('withdraws the consent at once, twice without complaint', async (t) => {
  const home = await temporaryHome(t)
  await writeConsent(home, Date.now())
  const first = await byway(['exit', 'disable', '--json'], { env: { BYWAY_HOME: home } })
  assert.deepEqual([first.code, JSON.parse(first.out)], [0, { exit: 'disabled', wasEnabled: true }])
  assert.equal((await readConsent(home, Date.now())).state, 'none')
  const again = await byway(['exit', 'disable', '--json'], { env: { BYWAY_HOME: home } })
  assert.deepEqual(
    [again.code, JSON.parse(again.out)],
    [0, { exit: 'disabled', wasEnabled: false }],
  )
})

test('withdraws a consent that cannot be read, too', async (t) => {
  const home = await temporaryHome(t)
  await writeFile(join(home, 'exit-consent.json'), 'junk', { mode: 0o666 })
  const { io } = person(home, '')
  await disableExit({ io, output: createOutput(io, true) })
  assert.deepEqual(await readdir(home), [])
})

test('ends with 74 when the state folder cannot be used', async () => {
  const line = `'${process.execPath}' '${LAUNCHER}' exit enable`
  const command = ['script', '--quiet', '--return', '--command', line, '/dev/null'] as [
    string,
    ...string[],
  ]
  const { code, out } = await byway([], { command, env: { BYWAY_HOME: '/dev/null/x' } })
  assert.equal(code, 74, out)
  assert.match(out, /byway: the state folder cannot be used \(system: ENOTDIR\)/)
})
