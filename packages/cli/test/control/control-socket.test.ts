import assert from 'node:assert/strict'
import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { CHAIN_QUESTION } from '@byway/protocol/wire'
import { askText, type ChainAnswers } from '../../src/control/chain-questions.ts'
import { askControl, openControl } from '../../src/control/control-socket.ts'
import { temporaryHome } from '../spawn-byway.ts'

const ANSWERS = { status: () => ({ nodes: 6 }), stop: () => ({ stopping: true }) }

test('answers over a socket that only the owner may open', async (t) => {
  const home = await temporaryHome(t)
  await using _control = await openControl(home, 'client', ANSWERS)
  assert.deepEqual(await askControl(home, 'client', 'status'), { nodes: 6 })
  assert.deepEqual(await askControl(home, 'client', 'stop'), { stopping: true })
  assert.equal((await stat(join(home, 'client.sock'))).mode & 0o777, 0o600)
})

test('tells a client from a node, and one that runs from one that does not', async (t) => {
  const home = await temporaryHome(t)
  await using _control = await openControl(home, 'client', ANSWERS)
  await assert.rejects(askControl(home, 'node', 'status'), { code: 'CONTROL_NOT_RUNNING' })
})

test('refuses a second one with the same state folder, and replaces what a dead one left', async (t) => {
  const home = await temporaryHome(t)
  await writeFile(join(home, 'node.sock'), '')
  await using _control = await openControl(home, 'node', ANSWERS)
  await assert.rejects(openControl(home, 'node', ANSWERS), { code: 'CONTROL_ALREADY_RUNNING' })
  assert.deepEqual(await askControl(home, 'node', 'status'), { nodes: 6 })
})

test('passes on the largest question about the chain, and stops where the asker has gone', async (t) => {
  const home = await temporaryHome(t)
  const question = { kind: CHAIN_QUESTION.SEND, transaction: new Uint8Array(4096).fill(7) } as const
  const asked: unknown[] = []
  const stopped = Promise.withResolvers<void>()
  const chain: ChainAnswers = {
    about: () => ({ seats: 3 }),
    ask: async (account, seat, given, signal) => {
      asked.push([account, seat, given])
      if (seat === 0) return { verdict: 0, body: '' }
      signal.addEventListener('abort', () => stopped.resolve())
      return await new Promise(() => {})
    },
    leave: () => ({}),
    leaves: async () => ({}),
    slots: async () => ({}),
  }
  await using _control = await openControl(home, 'client', { ...ANSWERS, chain })
  assert.deepEqual(await askControl(home, 'client', 'chain about'), { seats: 3 })
  const answered = askControl(home, 'client', askText('funds', 0, question))
  assert.deepEqual(await answered, { verdict: 0, body: '' })
  const stop = new AbortController()
  const asking = askControl(home, 'client', askText('nobody', 1, question), stop.signal)
  while (asked.length < 2) await new Promise(setImmediate)
  stop.abort()
  await assert.rejects(asking, { name: 'AbortError' })
  await stopped.promise
  assert.deepEqual(asked, [
    ['funds', 0, question],
    ['nobody', 1, question],
  ])
})

test('does not wait for an answer about the chain when it ends', async (t) => {
  const home = await temporaryHome(t)
  const asked = Promise.withResolvers<void>()
  const chain: ChainAnswers = {
    about: () => ({}),
    ask: async () => ({}),
    leave: () => ({}),
    leaves: async (_from, signal) => {
      asked.resolve()
      return await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    },
    slots: async () => ({}),
  }
  const control = await openControl(home, 'client', { ...ANSWERS, chain })
  const asking = assert.rejects(askControl(home, 'client', 'chain leaves 0'), {
    code: 'CONTROL_NO_ANSWER',
  })
  await asked.promise
  await control[Symbol.asyncDispose]()
  await asking
})

test('refuses a state folder whose socket path the system would cut off', async () => {
  const home = `/tmp/${'a'.repeat(120)}`
  await assert.rejects(openControl(home, 'node', ANSWERS), { code: 'CONTROL_PATH_TOO_LONG' })
  await assert.rejects(askControl(home, 'node', 'stop'), { code: 'CONTROL_PATH_TOO_LONG' })
})

for (const [what, bytes] of [
  ['an unknown question', 'password\n'],
  ['a question without an end', 'x'.repeat(5000)],
  ['an empty line', '\n'],
  ['JSON', '{"ask":"status"}\n'],
  ['a long question that is none about the chain', `status${' '.repeat(200)}\n`],
  ['a question about the chain without an end', `chain ask funds 0 ${'0'.repeat(20_000)}`],
  ['one about the chain that no node takes', 'chain ask funds 0 12ff\n'],
  ['one about the chain where nothing is paid', `chain slots ${'0'.repeat(64)}\n`],
] as const) {
  test(`answers nothing to ${what}, and goes on`, async (t) => {
    const home = await temporaryHome(t)
    await using _control = await openControl(home, 'client', ANSWERS)
    const socket = createConnection(join(home, 'client.sock'))
    await once(socket, 'connect')
    socket.on('error', () => {})
    socket.write(bytes)
    const answer = await buffer(socket).catch(() => Buffer.alloc(0))
    assert.equal(answer.length, 0)
    assert.deepEqual(await askControl(home, 'client', 'status'), { nodes: 6 })
  })
}
