/**
 * An exit that is gone, among five: a client finds that out once, and goes by the others.
 *
 *     client ══ guard ══ exit 1 … 4
 *                     ╳  exit 5
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { dialAs, makeNet } from './hostile/lib/net.ts'
import { until } from './hostile/lib/until.ts'
import { startBigOrigin } from './lib/big-origin.ts'

const EXITS = 5
/** Sixteen of them would try the dead one first. */
const ASKED = 80
/** Of the measured success each circuit that fails takes a tenth. */
const ONE_FAILED = 0.9
/** A circuit that is built ahead may meet the dead exit in the same moment. */
const TWO_FAILED = ONE_FAILED ** 2
/** Claimed by all exits: what is asked for by country comes from no stock. */
const COUNTRY = 'PL'

test(
  'an exit that is gone costs one failed build, not one in five',
  { timeout: 120_000 },
  async (t) => {
    await using origin = await startBigOrigin(1000)
    const net = await makeNet(t, [{ address: '127.0.0.1', port: origin.port }])
    const guards = [await net.honest(), await net.honest()]
    const exits = []
    for (let number = 0; number < EXITS; number++) {
      const listen = { host: `127.${50 + number}.0.1`, port: 0 }
      exits.push(await net.honest({ listen, exit: { profile: 'web' }, country: COUNTRY }))
    }
    await net.settled()
    let exit = ''
    const client = await net.client(guards, {
      onPath: ({ hops }) => void (exit = hops.at(-1)?.nodeId ?? ''),
    })
    const ask = async (): Promise<string> => {
      const target = { host: '127.0.0.1', port: origin.port }
      const stream = await client.connect(target, dialAs(undefined, { country: COUNTRY }))
      stream.resume().end('GET / HTTP/1.0\r\n\r\n')
      await once(stream, 'end')
      return exit
    }
    const successOf = (key: string): number =>
      client.scores().find(({ nodeId }) => nodeId === key)?.record?.success ?? 1
    const dead = exits.at(-1)
    assert.ok(dead)
    // It was used, and nothing was wrong with it.
    for (let asked = 0; (await ask()) !== dead.key; asked++) assert.ok(asked < ASKED)
    assert.equal(successOf(dead.key), 1)

    await dead.node[Symbol.asyncDispose]()
    await until('the stock is whole', () => client.status().stock === 2)
    const used = new Set<string>()
    for (let asked = 0; asked < ASKED; asked++) used.add(await ask())
    assert.deepEqual(used, new Set(exits.slice(0, -1).map(({ key }) => key)))
    const success = successOf(dead.key)
    t.diagnostic(`success of the dead exit: ${success.toFixed(3)}`)
    assert.ok(success < 1, 'it was never tried')
    assert.ok(success > TWO_FAILED - 0.001)
  },
)
