/**
 * A client that asks the chain through the network (SPEC §15.9), in a network of real processes with a chain of its own:
 *
 *     client ──gate──▶ anvil        until circuits stand
 *     client ──guard──▶ node ──▶ anvil, over three circuits, from then on
 *
 * The gate is shut as soon as nodes are asked. The client goes on to pay; and when it starts again, with nobody but nodes to ask, it finds what was deposited meanwhile.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { startProcesses, type ProcessNetwork } from '../packages/testnet/src/index.ts'
import { formatNetworkFile, parseNetworkFile } from '../packages/cli/src/config/network-file.ts'
import { writeLocalNetwork } from '../packages/cli/src/engine/local-network.ts'
import { askControl } from '../packages/cli/src/control/control-socket.ts'
import type { JsonObject } from '../packages/cli/src/output.ts'
import { asScript } from '../packages/cli/test/commands/wallet-person.ts'
import { openGate } from '../packages/cli/test/engine/chain-gate.ts'
import { PROGRAM, startByway, type RunningByway } from '../packages/cli/test/running-byway.ts'
import { createLocalPurse } from '../packages/purse/src/index.ts'
import { startBigOrigin, type BigOrigin } from './lib/big-origin.ts'
import { chainQuestions, until } from './lib/chain-asked.ts'
import { download } from './lib/download.ts'

const BODY_BYTES = 8_000_000
const SLOTS = 12

suite('a client whose way to the endpoints is cut', () => {
  const stop = new AbortController()
  const parts = new AsyncDisposableStack()
  let origin: BigOrigin
  let network: ProcessNetwork
  before(async () => {
    origin = parts.use(await startBigOrigin(BODY_BYTES))
    const starting = startProcesses(
      {
        program: PROGRAM,
        env: process.env,
        writeNetwork: writeLocalNetwork,
        askStatus: (home, program) => askControl(home, program, 'status'),
      },
      { exitTargets: [{ address: '127.0.0.1', port: origin.port }], signal: stop.signal },
    )
    network = parts.use(await starting)
  })
  // A start that fails leaves nothing running either, or the file would never end.
  after(async () => {
    stop.abort()
    await parts.disposeAsync()
  })

  test('asks nodes, pays on, and starts again', async (t) => {
    const gate = await openGate(t, network.payment?.rpcUrls[0] ?? '')
    const home = await mkdtemp(join(tmpdir(), 'byway-through-'))
    t.after(() => rm(home, { recursive: true, force: true }))
    await createLocalPurse(home)
    await deposit(network, home)
    const file = join(home, 'behind-gate.toml')
    const known = parseNetworkFile(await readFile(network.networkFile, 'utf8'))
    const payment = known.payment && { ...known.payment, rpcUrls: [gate.url] }
    await writeFile(file, formatNetworkFile({ ...known, ...(payment && { payment }) }))
    const start = (): RunningByway => {
      const client = startByway(['up', '--network', file, '--home', home, '--port', '0', '--json'])
      t.after(() => client.kill())
      return client
    }
    const status = (): Promise<JsonObject> => askControl(home, 'client', 'status')
    const isThrough = async (): Promise<boolean> => (await status())['chainThrough'] === 'network'
    const slotsOf = async (): Promise<number> => totalOf(await status())

    const first = start()
    const { proxy } = await first.event('ready')
    await until(isThrough)
    await gate.shut()
    const asked = await chainQuestions(network)
    assert.ok(asked > 0)
    // A root that holds the deposit is published within a second or two; until then nothing can be paid for, and the proxy says so at once.
    await until(async () => {
      const { money } = (await status()) as { readonly money?: { readonly canBegin?: boolean } }
      return money?.canBegin === true
    })
    const got = await download({
      proxyPort: Number(/:(\d+)$/.exec(String(proxy))?.[1]),
      originPort: origin.port,
      username: 'through',
      path: '/body',
    })
    assert.deepEqual(
      [got.ending, got.bytes, got.sha256],
      ['end', origin.bytes, origin.sha256],
      first.lastWords(),
    )
    const found = await slotsOf()
    assert.equal(await first.stop(), 0, first.lastWords())

    await deposit(network, home)
    const second = start()
    await second.event('ready')
    await until(async () => (await slotsOf()) > found)
    assert.ok(await isThrough())
    assert.ok((await chainQuestions(network)) > asked)
    assert.equal(await second.stop(), 0, second.lastWords())
  })
})

/** As somebody with another way to the chain. */
async function deposit({ networkFile }: ProcessNetwork, home: string): Promise<void> {
  const args = ['wallet', 'deposit', '--slots', `${SLOTS}`, '--local', '--no-wait', '--json']
  const { code, err } = await asScript([...args, '--network', networkFile], { BYWAY_HOME: home })
  assert.equal(code, 0, err)
}

/** Slots of all deposits that the client has found. */
function totalOf({ money }: JsonObject): number {
  const { slots } = money as unknown as { readonly slots: { readonly total: number } }
  return slots.total
}
