import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, Server } from 'node:net'
import { test } from 'node:test'
import { HARD_DENIED_PORTS } from '@byway/protocol/policy'
import { listenAsTarget, mayBeTargetPort } from '@byway/testnet'

test('a target never has a port that exits do not open', () => {
  for (const [first, last] of HARD_DENIED_PORTS) {
    assert.equal(mayBeTargetPort(first), false)
    assert.equal(mayBeTargetPort(last), false)
  }
  for (const port of [1, 80, 37_214, 37_216, 52_870, 65_535]) assert.ok(mayBeTargetPort(port))
})

test('asks the system again when it gives such a port out', async () => {
  const given = [52_869, 37_215, 40_000]
  let listens = 0
  /** A system that gives ports out in this order. */
  class Scripted extends Server {
    override listen(...args: unknown[]): this {
      listens++
      return super.listen(...(args as [object]))
    }
    override address(): ReturnType<Server['address']> {
      const address = super.address()
      const port = given[listens - 1]
      return typeof address === 'object' && address && port ? { ...address, port } : address
    }
  }
  const server = new Scripted()
  assert.equal(await listenAsTarget(server), 40_000)
  assert.equal(listens, 3)
  server.close()
  await once(server, 'close')
})

test('gives the port at which the server is reached', async () => {
  const server = createServer()
  const port = await listenAsTarget(server, '127.0.0.2')
  assert.deepEqual(server.address(), { address: '127.0.0.2', family: 'IPv4', port })
  server.close()
  await once(server, 'close')
})
