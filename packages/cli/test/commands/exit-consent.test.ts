import assert from 'node:assert/strict'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { CONSENT_PHRASE, readConsent, writeConsent } from '@byway/node'
import { disableExit, enableExit } from '../../src/commands/exit-consent.ts'
import { showExit } from '../../src/commands/exit-show.ts'
import type { CliIo } from '../../src/io.ts'
import { isCi } from '../../src/io.ts'
import { createOutput } from '../../src/output.ts'
import { byway, LAUNCHER, temporaryHome } from '../spawn-byway.ts'

const NOW_MS = Date.UTC(2026, 10, 20)

/** A person at a terminal who types `classes`, and then `answer`. */
function person(home: string, answer: string, classes = ''): { io: CliIo; shown: () => string } {
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
      return Promise.resolve(question.startsWith('What may leave?') ? classes : answer)
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
  assert.match(shown(), /what strangers' programs say. Nobody can check it/)
  assert.equal((await readConsent(home, NOW_MS)).state, 'given')
})

for (const [typed, classes] of [
  ['', ['browse']],
  [' browse ', ['browse']],
  ['collect', ['collect']],
  ['browse and collect', ['browse', 'collect']],
  ['Collect, browse', ['browse', 'collect']],
] as const) {
  test(`stores what may leave with the consent: "${typed}"`, async (t) => {
    const home = await temporaryHome(t)
    const { io } = person(home, CONSENT_PHRASE, typed)
    await enableExit({ io, output: createOutput(io, false) })
    const found = await readConsent(home, NOW_MS)
    assert.ok(found.state === 'given')
    assert.deepEqual(found.consent.classes, classes)
  })
}

test('changes nothing when what may leave is not understood', async (t) => {
  const home = await temporaryHome(t)
  const { io } = person(home, CONSENT_PHRASE, 'everything')
  await assert.rejects(enableExit({ io, output: createOutput(io, false) }), {
    code: 'CONSENT_CHOICE',
  })
  assert.deepEqual(await readdir(home), [])
})

test('shows what was agreed to, and what the exit takes and asks for it', async (t) => {
  const home = await temporaryHome(t)
  const show = async (): Promise<Record<string, unknown>> => {
    const { io, shown } = person(home, '')
    await showExit({ io, output: createOutput(io, true) })
    return JSON.parse(shown()) as Record<string, unknown>
  }
  assert.deepEqual(await show(), { exit: 'disabled', consent: 'none' })
  await writeConsent(home, NOW_MS, ['browse', 'collect'])
  await writeFile(join(home, 'config.toml'), '[exit]\ncollect_price = 8\n')
  const shown = await show()
  assert.deepEqual([shown['exit'], shown['agreed']], ['enabled', ['browse', 'collect']])
  assert.deepEqual(shown['classes'], { browse: 4, collect: 8 })
  assert.equal(shown['expiresAt'], '2027-11-20T00:00:00.000Z')
  const { io, shown: text } = person(home, '')
  await showExit({ io, output: createOutput(io, false) })
  assert.match(text(), /takes: browse at price step 4, collect at price step 8/)
  await writeFile(join(home, 'config.toml'), '[exit]\nclasses = ["collect"]\n')
  assert.deepEqual((await show())['classes'], { collect: 4 })
})

test('settings cannot add a class that was not agreed to', async (t) => {
  const home = await temporaryHome(t)
  await writeConsent(home, NOW_MS, ['browse'])
  await writeFile(join(home, 'config.toml'), '[exit]\nclasses = ["browse", "collect"]\n')
  const { io } = person(home, '')
  await assert.rejects(showExit({ io, output: createOutput(io, false) }), {
    code: 'CONSENT_CLASS',
    context: { trafficClass: 'collect' },
  })
})

test('a class cannot cost less than the rest of the node', async (t) => {
  const home = await temporaryHome(t)
  await writeConsent(home, NOW_MS, ['browse'])
  await writeFile(join(home, 'config.toml'), '[exit]\nbrowse_price = 3\n')
  const { io } = person(home, '')
  await assert.rejects(showExit({ io, output: createOutput(io, false) }), {
    code: 'NODE_EXIT_CLASS',
  })
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
  const options = {
    command: [...command] as [string, ...string[]],
    answers: [
      { question: 'Nothing typed means browse.', line: 'browse and collect\n' },
      { question: 'To agree, type:', line: `${CONSENT_PHRASE}\n` },
    ],
  }
  const inCi = await byway([], { ...options, env: { BYWAY_HOME: home, CI: 'true' } })
  assert.equal(inCi.code, 77)
  assert.equal((await readConsent(home, Date.now())).state, 'none')
  const { code, out } = await byway([], { ...options, env: { BYWAY_HOME: home } })
  assert.equal(code, 0, out)
  const found = await readConsent(home, Date.now())
  assert.ok(found.state === 'given')
  assert.deepEqual(found.consent.classes, ['browse', 'collect'])
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
  await writeConsent(home, Date.now(), ['browse'])
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
