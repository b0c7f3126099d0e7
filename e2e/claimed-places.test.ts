/**
 * Exits that say they are in New Zealand, seen by a client that builds circuits to them (docs/PLACE.md). Real nodes, real links of the loopback, which light would not cross in time:
 *
 *     client ══ guard DE ══ relay FR ══ exit without an address, says NZ      known of addresses: DE, FR, NL
 *                        ╲═ relay NL ═╱
 *
 *     client DE ══ guard FR ══ exit at an address that no table knows, says NZ
 *               ╲═ guard NL ═════ door ═════ exit that is far, says NZ           each byte takes 150 ms through the door
 *
 * The nodes are those of a local network. The client takes it for a real one, or it would hold no claim against any time.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test, type TestContext } from 'node:test'
import type { Client, NodeScore } from '@byway/client'
import { isBywayError } from '@byway/protocol/base'
import { openFarDoor } from './lib/far-door.ts'
import { dialAs, makeNet, type HonestNode, type HostileNet } from './hostile/lib/net.ts'
import { until } from './hostile/lib/until.ts'
import { startBigOrigin, type BigOrigin } from './lib/big-origin.ts'

const LIMIT = { timeout: 120_000 }
const EXIT = { exit: { profile: 'web' } } as const
/** No node has fallen later, the issue asks. */
const PATIENCE = 50
/** Circuits after that: with a fair share the liar would be in about half of them. */
const AFTER = 10
/** Light goes from Germany to the nearest island of New Zealand and back in 103 ms. */
const ONE_WAY_MS = 150

type Asked = {
  readonly client: Client
  /** Asks for a stream in a country, over a circuit of its own. Gives the key of the exit, or the rule that left none. */
  readonly ask: (country: string) => Promise<string>
  readonly scoreOf: (node: HonestNode) => NodeScore
}

async function clientOf(
  net: HostileNet,
  guards: readonly HonestNode[],
  origin: BigOrigin,
): Promise<Asked> {
  let exit = ''
  const client = await net.client(guards, {
    network: { ...net.network(), local: false },
    onPath: ({ hops }) => void (exit = hops.at(-1)?.nodeId ?? ''),
  })
  return {
    client,
    async ask(country) {
      const target = { host: '127.0.0.1', port: origin.port }
      try {
        const stream = await client.connect(target, dialAs(undefined, { country }))
        const asked = exit
        stream.on('error', () => {})
        stream.resume().end('GET / HTTP/1.0\r\n\r\n')
        await once(stream, 'end')
        return asked
      } catch (error) {
        if (!isBywayError(error) || error.code !== 'NO_PATH') throw error
        return (error.context as { readonly rule: string }).rule
      }
    },
    scoreOf({ key }) {
      const score = client.scores().find(({ nodeId }) => nodeId === key)
      assert.ok(score)
      return score
    },
  }
}

/** Asks until the node has fallen; gives how often its circuits were taken before. */
async function untilFallen({ ask, scoreOf }: Asked, liar: HonestNode): Promise<number> {
  let used = 0
  for (let asked = 0; scoreOf(liar).tooNear === undefined; asked++) {
    assert.ok(used < PATIENCE && asked < 4 * PATIENCE, `${used} circuits, ${asked} asked`)
    used += Number((await ask('NZ')) === liar.key)
  }
  return used
}

/** What is found out counts within a second. */
async function untilWeighed({ scoreOf }: Asked, node: HonestNode, place: number): Promise<void> {
  await until('its weight is another', () => scoreOf(node).factors.place === place)
}

async function start(t: TestContext, ownCountry?: string) {
  const origin = await startBigOrigin(1000)
  t.after(() => origin[Symbol.asyncDispose]())
  const net = await makeNet(t, [{ address: '127.0.0.1', port: origin.port }], ownCountry)
  const relays = [await net.honest(), await net.honest(), await net.honest()]
  return { origin, net, relays }
}

suite('a country that an exit claims', () => {
  test(
    'is no longer served by an exit without an address that light shows to be near, and a near one is let be',
    LIMIT,
    async (t) => {
      const { origin, net, relays } = await start(t)
      const liar = await net.honest({ ...EXIT, listen: undefined, country: 'NZ', asn: 64_600 })
      const near = await net.honest({ ...EXIT, listen: undefined, country: 'PL', asn: 64_601 })
      await net.settled()
      const asked = await clientOf(net, relays.slice(0, 1), origin)
      const used = await untilFallen(asked, liar)
      const { tooNear, countryBy } = asked.scoreOf(liar)
      t.diagnostic(
        `fell after ${used} circuits: ${tooNear?.rttMs.toFixed(1)} ms, ${tooNear?.km.toFixed()} km from ${tooNear?.country}`,
      )
      assert.ok(tooNear && tooNear.observers >= 2 && tooNear.km > 14_000 && tooNear.rttMs < 90)
      assert.ok(['DE', 'FR', 'NL'].includes(tooNear.country))
      assert.equal(countryBy, 'claim')
      await untilWeighed(asked, liar, 0.25)
      for (let i = 0; i < AFTER; i++) assert.equal(await asked.ask('NZ'), 'EXIT_WEIGHT')

      for (let i = 0; i < AFTER; i++) assert.equal(await asked.ask('PL'), near.key)
      const honest = asked.scoreOf(near)
      assert.deepEqual([honest.tooNear, honest.factors.place], [undefined, 1])
    },
  )

  test(
    'is no longer served by an exit that no table knows, and still by one that is as far as it says',
    LIMIT,
    async (t) => {
      const { origin, net, relays } = await start(t, 'DE')
      const liar = await net.honest({
        ...EXIT,
        listen: { host: '127.50.0.1', port: 0 },
        country: 'NZ',
      })
      await using door = await openFarDoor('127.60.0.1', ONE_WAY_MS)
      const far = await net.honest({
        ...EXIT,
        listen: { host: '127.61.0.1', port: 0 },
        advertise: { host: '127.60.0.1', port: door.port },
        country: 'NZ',
      })
      assert.ok(far.node.listen)
      door.leadTo(far.node.listen)
      await net.settled()
      // Who is far has dialled the first contact itself, past the door. The others go through it.
      const asked = await clientOf(net, relays.slice(1), origin)
      const used = await untilFallen(asked, liar)
      t.diagnostic(`fell after ${used} circuits`)
      assert.ok((asked.scoreOf(liar).tooNear?.observers ?? 0) >= 2)
      await untilWeighed(asked, liar, 0.25)
      for (let i = 0; i < AFTER; i++) assert.equal(await asked.ask('NZ'), far.key)
      const honest = asked.scoreOf(far)
      assert.deepEqual(
        [honest.tooNear, honest.factors.place, honest.countryBy],
        [undefined, 1, 'claim'],
      )
    },
  )

  test(
    'is not that of an exit without an address when two relays see it elsewhere',
    LIMIT,
    async (t) => {
      const { origin, net, relays } = await start(t, 'DE')
      const liar = await net.honest({ ...EXIT, listen: undefined, country: 'FR', asn: 64_600 })
      await net.settled()
      const asked = await clientOf(net, relays.slice(0, 1), origin)
      // Light says nothing of neighbours.
      for (let i = 0; asked.scoreOf(liar).countryBy === 'claim'; i++) {
        assert.ok(i < PATIENCE)
        await asked.ask('FR')
      }
      const { country, countryBy, tooNear } = asked.scoreOf(liar)
      assert.deepEqual([country, countryBy, tooNear], ['DE', 'relays', undefined])
      await untilWeighed(asked, liar, 0.5)
      assert.match(await asked.ask('FR'), /^EXIT/)
      assert.equal(await asked.ask('DE'), liar.key)
    },
  )
})
