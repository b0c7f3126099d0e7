import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { createPurse, openPurse, startSigner, type SignerPurse } from '@byway/purse'
import { isAlive } from '../../../home/test/processes.ts'
import { fixRules } from '../../src/signer/rules.ts'
import { serveSigner } from '../../src/signer/serve-signer.ts'
import { formatMessage, MAX_LINE_LETTERS } from '../../src/signer/wire-json.ts'
import { temporaryHome } from '../temporary-home.ts'
import { CHEAP, PASSPHRASE, RULES, STRANGER, transaction, WORDS } from './signer-fixture.ts'

const MAIN = fileURLToPath(new URL('../../src/signer/signer-main.ts', import.meta.url))

async function homeWithPurse(t: TestContext): Promise<string> {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  return home
}

async function started(
  t: TestContext,
  home: string,
  nowMs: () => number = () => 0,
): Promise<SignerPurse> {
  const passphrase = (): Promise<string> => Promise.resolve(PASSPHRASE)
  // What is no rule is left out: a network's parameters may be given as they are.
  const rules = { ...RULES, rpcUrls: ['http://127.0.0.1:1'] }
  const purse = await startSigner(home, { rules, passphrase, isLocal: true, nowMs })
  t.after(() => purse[Symbol.asyncDispose]())
  return purse
}

test('does over a pipe what the purse does in the process', async (t) => {
  const home = await homeWithPurse(t)
  const remote = await started(t, home)
  await using local = await openPurse(home, { passphrase: PASSPHRASE, isLocal: true, rules: RULES })
  assert.deepEqual(remote.accounts, local.accounts)
  assert.deepEqual(remote.sessionSecret(), local.sessionSecret())
  assert.deepEqual(remote.storeKey(), local.storeKey())
  const [ours, theirs] = [await local.depositOwner(4), await remote.depositOwner(4)]
  assert.equal(theirs.secret, ours.secret)
  const [a, b] = [local, remote].map((purse) => purse.transactionSigner('funds'))
  assert.equal(await b?.signTransaction(transaction()), await a?.signTransaction(transaction()))
  await assert.rejects(b?.signTransaction(transaction({ to: STRANGER })) ?? Promise.resolve(), {
    code: 'PURSE_REFUSED',
    context: { rule: 'contract' },
  })
})

test('answers many at once, each its own', async (t) => {
  const purse = await started(t, await homeWithPurse(t))
  const owners = await Promise.all(
    Array.from({ length: 50 }, (_, index) => purse.depositOwner(index)),
  )
  const seen = owners.map(({ secret }) => secret)
  assert.equal(new Set(seen).size, 50)
  assert.equal((await purse.depositOwner(17)).secret, seen[17])
})

test('a wrong passphrase and a missing purse are told apart, and no process stays', async (t) => {
  const options = { rules: RULES, isLocal: true, nowMs: () => 0 }
  const wrong = (): Promise<string> => Promise.resolve('wrong')
  await assert.rejects(startSigner(await homeWithPurse(t), { ...options, passphrase: wrong }), {
    code: 'PURSE_PASSPHRASE_WRONG',
  })
  await assert.rejects(startSigner(await temporaryHome(t), { ...options, passphrase: wrong }), {
    code: 'PURSE_MISSING',
  })
})

test('a cheap keystore is refused outside a local network', async (t) => {
  const home = await homeWithPurse(t)
  const passphrase = (): Promise<string> => Promise.resolve(PASSPHRASE)
  await assert.rejects(
    startSigner(home, { rules: RULES, passphrase, isLocal: false, nowMs: () => 0 }),
    { code: 'PURSE_KEYSTORE_WEAK' },
  )
})

test('disposing ends the process; nothing works after it', async (t) => {
  const purse = await started(t, await homeWithPurse(t))
  const pid = purse.pid()
  await purse[Symbol.asyncDispose]()
  assert.equal(isAlive(pid), false)
  await assert.rejects(purse.depositOwner(0), { code: 'PURSE_LOCKED' })
  assert.throws(() => purse.sessionSecret(), { code: 'PURSE_LOCKED' })
})

test('a killed signer is started again with the next request, at most every ten seconds', async (t) => {
  let nowMs = 0
  const purse = await started(t, await homeWithPurse(t), () => nowMs)
  const before = await purse.depositOwner(0)
  const kill = async (): Promise<void> => {
    const pid = purse.pid()
    process.kill(pid, 'SIGKILL')
    // The pipe tells the program; asking until then is answered by the dying one or refused.
    while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve))
  }
  await kill()
  await assert.rejects(purse.depositOwner(1), { code: 'PURSE_LOCKED' })
  nowMs = 10_000
  const first = purse.pid()
  const [after] = await Promise.all([purse.depositOwner(0), purse.depositOwner(1)])
  assert.equal(after.secret, before.secret)
  assert.notEqual(purse.pid(), first)
  await kill()
  await assert.rejects(purse.depositOwner(2), { code: 'PURSE_LOCKED' })
})

test('passes over the signals that end a program, and dies when its program is killed', async (t) => {
  const home = await homeWithPurse(t)
  const script = `
    import { startSigner } from '@byway/purse'
    const purse = await startSigner(process.argv[1], {
      rules: { chainId: 31337, pool: new Uint8Array(20), registry: new Uint8Array(20), token: new Uint8Array(20), winValue: 1n },
      passphrase: async () => '${PASSPHRASE}', isLocal: true, nowMs: () => 0,
    })
    process.stdout.write(String(purse.pid()) + '\\n')
    setInterval(() => {}, 1000)`
  const program = spawn(
    process.execPath,
    ['--conditions=byway:source', '--input-type=module', '--eval', script, home],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  )
  t.after(() => program.kill('SIGKILL'))
  const [line] = (await once(program.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
  assert.equal(isAlive(pid), true)
  program.kill('SIGKILL')
  await gone(pid)
})

test('has no arguments, no environment and no words', async (t) => {
  const purse = await started(t, await homeWithPurse(t))
  const proc = `/proc/${purse.pid()}`
  const [args, env] = [await readFile(`${proc}/cmdline`, 'utf8'), await readFile(`${proc}/environ`)]
  assert.equal(env.length, 0)
  assert.match(args, /signer-main\.ts\0$/)
  assert.doesNotMatch(args, new RegExp(PASSPHRASE))
})

/** Resolves when the process is gone or a zombie that nobody of ours waits for. */
async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
    if (state.includes(') Z')) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function rawSigner(t: TestContext): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=byway:source', MAIN], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {},
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}

const OPEN = (home: string): object => ({
  id: 0,
  body: { home, passphrase: PASSPHRASE, isLocal: true, rules: fixRules(RULES, true) },
})

/** Speaks to the serving function as a program would, and gives what it said. */
async function serve(home: string, lines: readonly string[]): Promise<readonly JsonAnswer[]> {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const served = serveSigner(input, output, () => 0)
  input.write(`${formatMessage(OPEN(home))}\n`)
  for (const line of lines) input.write(`${line}\n`)
  input.end()
  await served
  const text = (await output.toArray()).join('')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonAnswer)
}

type JsonAnswer = {
  readonly id: number
  readonly answer?: { readonly type: string }
  readonly error?: { readonly code: string; readonly context: { readonly problem?: string } }
}

const MALFORMED: Readonly<Record<string, unknown>> = {
  'an unknown verb': { verb: 'sign', digest: '00'.repeat(32) },
  'no verb': {},
  'a field too many': { verb: 'lock', now: true },
  'a list': [],
  'an unknown account': { verb: 'transaction', account: 'owner', transaction: transaction() },
  'a number as text': {
    verb: 'transaction',
    account: 'funds',
    transaction: { ...transaction(), nonce: '1' },
  },
  'a negative amount': {
    verb: 'transaction',
    account: 'funds',
    transaction: { ...transaction(), gas: '-1' },
  },
  'an amount with an exponent': {
    verb: 'transaction',
    account: 'funds',
    transaction: { ...transaction(), gas: '1e9' },
  },
  'a short address': {
    verb: 'transaction',
    account: 'funds',
    transaction: { ...transaction(), to: '00' },
  },
  'capital digits': {
    verb: 'transaction',
    account: 'funds',
    transaction: { ...transaction(), to: 'AA'.repeat(20) },
  },
  'an owner that no list has': { verb: 'deposit', owner: { list: 'funds', index: 0 } },
  'an index beyond 32 bits': { verb: 'deposit', owner: { list: 'deposit', index: 2 ** 32 } },
  'a redeemed voucher that is not there': {
    verb: 'deposit',
    owner: { list: 'redeemed', index: 0 },
  },
  'a raw digest in a statement': {
    verb: 'statement',
    statement: { kind: 'raw', digest: '00'.repeat(32) },
  },
  'a deposit of nobody': { verb: 'deposit' },
  'a registration with a short field': {
    verb: 'statement',
    statement: {
      kind: 'registration',
      registration: { owner: '00', nodeId: '00', payout: '00' },
    },
  },
}

for (const [what, body] of Object.entries(MALFORMED)) {
  test(`refuses ${what}, and goes on`, async (t) => {
    const home = await homeWithPurse(t)
    const next = formatMessage({ id: 2, body: { verb: 'addresses' } })
    const answers = await serve(home, [formatMessage({ id: 1, body }), next])
    assert.deepEqual(
      answers.map(({ id }) => id),
      [0, 1, 2],
    )
    assert.equal(answers[1]?.error?.code, 'PURSE_SIGNER')
    assert.equal(answers[2]?.answer?.type, 'facts')
  })
}

test('ends at a line that is no message', async (t) => {
  const home = await homeWithPurse(t)
  const next = formatMessage({ id: 2, body: { verb: 'addresses' } })
  for (const line of ['', 'x', '{', '[]', '{"id":1}x', '{"id":-1,"body":{}}', '{"id":"1"}']) {
    const answers = await serve(home, [line, next])
    assert.deepEqual(
      answers.map(({ id }) => id),
      [0],
      line,
    )
  }
})

test('ends at a line without end, without keeping it', async (t) => {
  const home = await homeWithPurse(t)
  const next = formatMessage({ id: 1, body: { verb: 'addresses' } })
  const answers = await serve(home, ['x'.repeat(MAX_LINE_LETTERS + 1), next])
  assert.equal(
    answers.some(({ id }) => id === 1),
    false,
  )
  const child = rawSigner(t)
  const ended = once(child, 'exit')
  child.stdin?.on('error', () => {})
  child.stdin?.write('x'.repeat(2 * MAX_LINE_LETTERS))
  assert.deepEqual(await ended, [0, null])
})

test('the first message opens the purse or ends the process', async (t) => {
  const home = await homeWithPurse(t)
  for (const body of [{ verb: 'lock' }, { home }, { home, isLocal: true }, undefined]) {
    const [input, output] = [new PassThrough(), new PassThrough()]
    input.end(`${formatMessage({ id: 0, body })}\n${formatMessage(OPEN(home))}\n`)
    await serveSigner(input, output, () => 0)
    const said = (await output.toArray()).join('')
    assert.match(said, /^\{"id":0,"error":\{"code":"PURSE_SIGNER"[^\n]*\n$/)
  }
})

test('no line whatsoever makes it say a signature that was not asked for properly', async (t) => {
  const home = await homeWithPurse(t)
  await fc.assert(
    fc.asyncProperty(fc.json({ noUnicodeString: false }), async (body) => {
      const answers = await serve(home, [`{"id":1,"body":${body}}`])
      assert.equal(answers[1]?.answer, undefined)
    }),
    { numRuns: 30 },
  )
})
