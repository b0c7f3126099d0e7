/** A node whose disk fails (SECURITY R25): it ends, says why, and every win that was acknowledged is there for the next start. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalPurse } from '@byway/purse'
import { winner } from '../../../store/test/support/records.ts'
import { skipWithoutTracer } from '../../../store/test/support/tools.ts'
import { openOwnStore } from '../../src/engine/own-store.ts'
import { paidNetwork } from '../commands/paid-network.ts'
import { startByway, type JsonEvent, type Wrap } from '../running-byway.ts'
import { temporaryHome } from '../spawn-byway.ts'

const WINS = 20

/** Every fsync of a thread fails from its sixth on: only the store's thread makes so many, the last of them while the node starts. */
const failing: Wrap = (command, args) => {
  const rules = ['-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO:when=6+']
  return { command: 'strace', args: ['-f', '-qq', '-o', '/dev/null', ...rules, command, ...args] }
}

test(
  'a node whose disk fails ends with 74, and keeps what was won',
  { skip: skipWithoutTracer() },
  async (t) => {
    const { file } = await paidNetwork(t)
    const home = await temporaryHome(t)
    await createLocalPurse(home)
    {
      await using store = await openOwnStore(home, 'node')
      for (let number = 0; number < WINS; number++) await store.winners.add(winner(number))
    }
    const said: JsonEvent[] = []
    const args = ['node', '--listen', '127.0.0.1:0', '--network', file, '--json']
    const onEvent = (event: JsonEvent): void => void said.push(event)
    const running = startByway(args, { BYWAY_HOME: home }, onEvent, failing)
    assert.equal(await running.ended, 74, running.lastWords())
    const error = said.find((event) => 'error' in event)?.['error']
    assert.equal((error as { code?: string } | undefined)?.code, 'STORE_FAILED')
    assert.match(JSON.stringify(error), /the disk failed; see to it, then start again/)
    await using store = await openOwnStore(home, 'node')
    assert.deepEqual([store.report.damagedRows, store.report.missingRows], [0, 0])
    const kept = await store.winners.list(['received', 'queued', 'sent'])
    assert.deepEqual(
      kept.map(({ reveal }) => reveal),
      Array.from({ length: WINS }, (_, number) => winner(number).reveal),
    )
  },
)
