/** `byway status`: what people read, and what a script may rely on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openControl } from '../../src/control/control-socket.ts'
import type { JsonObject } from '../../src/output.ts'
import { run } from '../run-cli.ts'
import { temporaryHome } from '../spawn-byway.ts'

const NODE: JsonObject = {
  roles: ['relay', 'exit'],
  links: 4,
  circuits: 2,
  forwardBytes: 1_000_000,
  backwardBytes: 24_000_000,
  earnings: {
    token: 'tBYW',
    units: 25,
    expected: '0.0123',
    wins: 1,
    won: '0.1',
    openWins: 1,
  },
  alerts: [{ alert: 'gas-low', text: 'gas runs short: send some' }],
}

test('a line for each program, with earnings, and one for each alert', async (t) => {
  const home = await temporaryHome(t)
  const node = { status: () => NODE, stop: () => ({}) }
  await using _control = await openControl(home, 'node', node)
  const { code, out } = await run('status', '--home', home)
  assert.equal(code, 0)
  assert.deepEqual(out.trimEnd().split('\n'), [
    'client: not running',
    'node: relay and exit, 4 links, 2 circuits, carried 25.0 MB; earned 0.0123 tBYW, 1 wins of 0.1 tBYW, 1 on the way',
    '  ! gas runs short: send some',
  ])
})

test('an exit says what it takes, and for how much where it is paid', async (t) => {
  const home = await temporaryHome(t)
  let classes: JsonObject | null = { browse: 4, collect: 8 }
  const node = { status: () => ({ ...NODE, classes }), stop: () => ({}) }
  await using _control = await openControl(home, 'node', node)
  const lineOf = async (): Promise<string | undefined> =>
    (await run('status', '--home', home)).out.split('\n').find((line) => /^ {2}takes/.test(line))
  assert.equal(await lineOf(), '  takes browse at price step 4, collect at price step 8')
  classes = { browse: 0 }
  assert.equal(await lineOf(), '  takes browse')
  classes = null
  assert.equal(await lineOf(), undefined)
})

test('--check fails while the node needs something, and says so in JSON too', async (t) => {
  const home = await temporaryHome(t)
  assert.equal((await run('status', '--check', '--home', home)).code, 0)
  let alerts = NODE['alerts']
  const node = { status: () => ({ ...NODE, alerts: alerts ?? [] }), stop: () => ({}) }
  await using _control = await openControl(home, 'node', node)
  const failed = await run('status', '--check', '--json', '--home', home)
  assert.equal(failed.code, 77)
  assert.match(failed.out, /"gas-low"/)
  alerts = []
  assert.equal((await run('status', '--check', '--home', home)).code, 0)
})
