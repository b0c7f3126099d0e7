import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { byway, temporaryHome } from '../spawn-byway.ts'

async function check(...args: readonly string[]): Promise<unknown> {
  const { code, out } = await byway(['policy', 'check', ...args, '--json'])
  assert.equal(code, 0)
  return JSON.parse(out)
}

test('allows a public address and names what to connect to', async () => {
  assert.deepEqual(await check('93.184.216.34', '443'), {
    verdict: 'allow',
    reason: 'ok',
    pin: '93.184.216.34',
  })
  const { out } = await byway(['policy', 'check', '93.184.216.34', '443'])
  assert.equal(out, 'allow, connect to 93.184.216.34\n')
})

test('denies with a reason, and ends with 0 all the same', async () => {
  assert.deepEqual(await check('127.0.0.1', '80'), { verdict: 'deny', reason: 'loopback' })
  const { out, code } = await byway(['policy', 'check', '127.0.0.1', '80'])
  assert.deepEqual([code, out], [0, 'deny: loopback\n'])
})

test('judges every given answer and looks nothing up', async () => {
  const answers = ['--answers', '93.184.216.34,192.168.1.1']
  assert.deepEqual(await check('rebind.example.com', '80', ...answers), {
    verdict: 'deny',
    reason: 'rfc1918',
  })
})

test('takes a profile and a context file', async (t) => {
  const file = join(await temporaryHome(t), 'context.json')
  await writeFile(file, JSON.stringify({ denyCidrs: ['93.184.216.0/24'] }))
  assert.deepEqual(await check('93.184.216.34', '8080', '--profile', 'web'), {
    verdict: 'deny',
    reason: 'port',
  })
  const denied = (await check('93.184.216.34', '443', '--context', file)) as { verdict: string }
  assert.equal(denied.verdict, 'deny')
})

test('ends with 64 for a profile that there is none of', async () => {
  const args = ['policy', 'check', '1.1.1.1', '443', '--profile', 'all']
  const { code, out, err } = await byway(args)
  assert.deepEqual([code, out], [64, ''])
  assert.match(err, /^byway: --profile must be web or reduced/)
})

test('ends with 78 and a hint, said once, for a context that it does not understand', async (t) => {
  const file = join(await temporaryHome(t), 'context.json')
  await writeFile(file, '{"denyCidr":[]}')
  for (const args of [
    ['--context', file],
    ['--context', `${file}.gone`],
  ]) {
    const { code, out, err } = await byway(['policy', 'check', '1.1.1.1', '443', ...args])
    assert.deepEqual([code, out], [78, ''], args.join(' '))
    assert.match(err, /^byway: (?:(?!hint).)*\nhint: /)
  }
})
