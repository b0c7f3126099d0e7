import assert from 'node:assert/strict'
import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
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
