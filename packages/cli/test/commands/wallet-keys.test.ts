import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatAddress, openPurse } from '@byway/purse'
import { byway, LAUNCHER, temporaryHome } from '../spawn-byway.ts'
import { asPerson, asScript, careful, wordsShown } from './wallet-person.ts'

const PASSPHRASE = 'a passphrase for tests'

type Accounts = { readonly funds: string; readonly provider: string; readonly owner: string | null }

async function privateFile(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text, { mode: 0o600 })
  return path
}

test('a person sees 24 words once, types three of them, and has a purse that the words bring back', async (t) => {
  const [home, other] = [await temporaryHome(t), await temporaryHome(t)]
  const made = await asPerson(['wallet', 'create'], { BYWAY_HOME: home }, careful(PASSPHRASE))
  assert.equal(made.code, 0, made.err)
  const words = wordsShown(made.err)
  assert.equal(words.length, 24)
  assert.equal(made.err.match(/^word \d+: |word \d+: /g)?.length, 3)
  const [table = '', after = ''] = made.err.split('\u001B[2J')
  assert.match(table, /Write them on paper/)
  assert.equal(wordsShown(after).length, 0)
  const pairs = words.slice(1).map((word, at) => `${words[at]} ${word}`)
  assert.equal(
    pairs.some((pair) => made.out.includes(pair)),
    false,
  )
  assert.deepEqual(await readdir(home), ['purse.json'])
  const restored = await asPerson(['wallet', 'restore'], { BYWAY_HOME: other }, (question) =>
    question.startsWith('the words') ? words.join('  ') : PASSPHRASE,
  )
  assert.equal(restored.code, 0, restored.err)
  assert.equal(restored.out, made.out)
})

test('three wrong answers make nothing', async (t) => {
  const home = await temporaryHome(t)
  const { code, err } = await asPerson(['wallet', 'create'], { BYWAY_HOME: home }, () => 'abandn')
  assert.equal(code, 77)
  assert.match(err, /the words were not confirmed, so nothing was made/)
  assert.deepEqual(await readdir(home), [])
})

test('two different passphrases make nothing', async (t) => {
  const home = await temporaryHome(t)
  const answer = careful(PASSPHRASE)
  const { code, err } = await asPerson(
    ['wallet', 'create'],
    { BYWAY_HOME: home },
    (question, shown) =>
      question.startsWith('the same again') ? 'another' : answer(question, shown),
  )
  assert.equal(code, 78)
  assert.match(err, /the passphrases are not the same/)
  assert.deepEqual(await readdir(home), [])
})

test('without a terminal the words go to a private file that was named, and nowhere else', async (t) => {
  const [home, folder] = [await temporaryHome(t), await temporaryHome(t)]
  const words = join(folder, 'words')
  const env = {
    BYWAY_HOME: home,
    BYWAY_PASSPHRASE_FILE: await privateFile(folder, 'pass', `${PASSPHRASE}\n`),
  }
  const unseen = await asScript(['wallet', 'create', '--json'], env)
  assert.equal(unseen.code, 77)
  assert.equal(
    (JSON.parse(unseen.out) as { error: { code: string } }).error.code,
    'WALLET_WORDS_UNSEEN',
  )
  const made = await asScript(['wallet', 'create', '--words-file', words, '--json'], env)
  assert.deepEqual([made.code, made.err], [0, ''])
  const accounts = JSON.parse(made.out) as Accounts
  assert.equal((await stat(words)).mode & 0o777, 0o600)
  const list = (await readFile(words, 'utf8')).trim().split(' ')
  assert.equal(list.length, 24)
  await using purse = await openPurse(home, { passphrase: PASSPHRASE })
  assert.equal(formatAddress(purse.accounts.funds), accounts.funds)
  const again = await asScript(['wallet', 'create', '--words-file', words, '--json'], env)
  assert.equal((JSON.parse(again.out) as { error: { code: string } }).error.code, 'PURSE_EXISTS')
  const other = { ...env, BYWAY_HOME: await temporaryHome(t) }
  const restored = await asScript(['wallet', 'restore', '--words-file', words, '--json'], other)
  assert.deepEqual(JSON.parse(restored.out), accounts.funds ? JSON.parse(made.out) : null)
})

test('a words file that exists is not overwritten, and no purse is made', async (t) => {
  const [home, folder] = [await temporaryHome(t), await temporaryHome(t)]
  const words = await privateFile(folder, 'words', 'mine')
  const env = {
    BYWAY_HOME: home,
    BYWAY_PASSPHRASE_FILE: await privateFile(folder, 'pass', PASSPHRASE),
  }
  const { code } = await asScript(['wallet', 'create', '--words-file', words], env)
  assert.equal(code, 74)
  assert.equal(await readFile(words, 'utf8'), 'mine')
  assert.deepEqual(await readdir(home), [])
})

test('a passphrase file that others may read is refused', async (t) => {
  const [home, folder] = [await temporaryHome(t), await temporaryHome(t)]
  const pass = join(folder, 'pass')
  await writeFile(pass, PASSPHRASE, { mode: 0o644 })
  const args = ['wallet', 'create', '--words-file', join(folder, 'words'), '--json']
  const { code, out } = await asScript(args, { BYWAY_HOME: home, BYWAY_PASSPHRASE_FILE: pass })
  assert.equal(code, 74)
  assert.match(out, /HOME_FILE_OPEN/)
  assert.doesNotMatch(out, new RegExp(PASSPHRASE))
  assert.deepEqual((await readdir(folder)).toSorted(), ['pass'])
})

test('takes the passphrase from a credential of the service manager', async (t) => {
  const [home, folder] = [await temporaryHome(t), await temporaryHome(t)]
  await writeFile(join(folder, 'byway-passphrase'), `${PASSPHRASE}\n`, { mode: 0o400 })
  const args = ['wallet', 'create', '--words-file', join(folder, 'words'), '--json']
  const { code } = await byway(args, { env: { BYWAY_HOME: home, CREDENTIALS_DIRECTORY: folder } })
  assert.equal(code, 0)
  await (await openPurse(home, { passphrase: PASSPHRASE }))[Symbol.asyncDispose]()
})

test("the owner's keystore has a passphrase of its own", async (t) => {
  const [home, folder] = [await temporaryHome(t), await temporaryHome(t)]
  const [words, owner] = [join(folder, 'words'), join(folder, 'owner.json')]
  const args = ['wallet', 'create', '--words-file', words, '--owner-keystore', owner, '--json']
  const env = {
    BYWAY_HOME: home,
    BYWAY_PASSPHRASE_FILE: await privateFile(folder, 'pass', PASSPHRASE),
  }
  const shared = await asScript(args, {
    ...env,
    BYWAY_OWNER_PASSPHRASE_FILE: env.BYWAY_PASSPHRASE_FILE,
  })
  assert.match(shared.out, /WALLET_PASSPHRASE_SHARED/)
  assert.deepEqual(await readdir(home), [])
  const own = await privateFile(folder, 'own', 'another long passphrase')
  const made = await asScript(args, { ...env, BYWAY_OWNER_PASSPHRASE_FILE: own })
  assert.equal(made.code, 0, made.out)
  const { address } = JSON.parse(await readFile(owner, 'utf8')) as { address: string }
  const accounts = JSON.parse(made.out) as Accounts
  assert.equal(`0x${address}`, accounts.owner?.toLowerCase())
})

test('names the position of a word that is wrong, and makes nothing', async (t) => {
  const home = await temporaryHome(t)
  const words = `${'abandon '.repeat(22)}abandom art`
  const { code, err } = await asPerson(['wallet', 'restore'], { BYWAY_HOME: home }, () => words)
  assert.equal(code, 78)
  assert.match(err, /a word is not in the list \(position: 23\)/)
  assert.deepEqual(await readdir(home), [])
})

test('backs up, changes the passphrase, and restores the back-up with the old one', async (t) => {
  const [home, folder] = [await temporaryHome(t), await temporaryHome(t)]
  const [old, fresh] = [
    await privateFile(folder, 'old', PASSPHRASE),
    await privateFile(folder, 'new', 'another long passphrase'),
  ]
  const env = { BYWAY_HOME: home, BYWAY_PASSPHRASE_FILE: old }
  const words = join(folder, 'words')
  const made = await asScript(['wallet', 'create', '--words-file', words, '--json'], env)
  const copy = join(folder, 'copy.json')
  assert.equal((await asScript(['wallet', 'backup', copy], env)).code, 0)
  const change = await asScript(['wallet', 'passphrase', '--new-file', fresh, '--json'], env)
  assert.deepEqual(JSON.parse(change.out), { passphrase: 'changed' })
  const wrong = await asScript(['wallet', 'backup', join(folder, 'x'), '--json'], env)
  assert.equal(wrong.code, 78)
  assert.match(wrong.out, /PURSE_PASSPHRASE_WRONG/)
  const other = { ...env, BYWAY_HOME: await temporaryHome(t) }
  const restored = await asScript(['wallet', 'restore', '--keystore', copy, '--json'], other)
  assert.deepEqual(JSON.parse(restored.out), JSON.parse(made.out))
})

test('shows nothing of what is typed at a real terminal', async (t) => {
  const home = await temporaryHome(t)
  const words = `${'abandon '.repeat(23)}art`
  const line = `'${process.execPath}' '${LAUNCHER}' wallet restore`
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    env: { PATH: process.env['PATH'], BYWAY_HOME: home },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const answers = [
    ['the words, in their order (not shown): ', words],
    ['new passphrase of the purse: ', PASSPHRASE],
    ['the same again: ', PASSPHRASE],
  ] as const
  let [shown, next] = ['', 0]
  child.stdout.setEncoding('utf8')
  for await (const part of child.stdout) {
    shown += String(part)
    const [question, answer] = answers[next] ?? []
    if (question === undefined || !shown.includes(question)) continue
    next++
    child.stdin.write(`${answer}\n`)
  }
  assert.equal(next, 3, shown)
  assert.match(shown, /funds +0x/)
  assert.doesNotMatch(shown, /abandon|passphrase for tests/)
  assert.deepEqual(await readdir(home), ['purse.json'])
})
