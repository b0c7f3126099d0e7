import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createRpcEndpoint, type RpcEndpoint } from '../src/rpc/endpoint.ts'

const ANSWER = JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0x1' })
const RESULT = { type: 'result', result: '0x1' }
const never = new AbortController().signal

/** An endpoint that is served by `answer`. */
async function serve(t: TestContext, answer: RequestListener): Promise<RpcEndpoint> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return createRpcEndpoint({ url: `http://127.0.0.1:${port}/`, nowMs: () => 0 })
}

test('questions share a connection, and one that the server has closed meanwhile is no fault', async (t) => {
  const asked = new Map<Socket, number>()
  const endpoint = await serve(t, (request, response) => {
    const count = (asked.get(request.socket) ?? 0) + 1
    asked.set(request.socket, count)
    if (count === 3) request.socket.destroy()
    else response.end(ANSWER)
  })
  for (let i = 0; i < 3; i++) assert.deepEqual(await endpoint.ask('a', [], never), RESULT)
  assert.deepEqual([...asked.values()], [3, 1])
})

test('a server that closes every connection unanswered is a fault', async (t) => {
  let questions = 0
  const endpoint = await serve(t, (request) => {
    questions++
    request.socket.destroy()
  })
  assert.deepEqual(await endpoint.ask('a', [], never), { type: 'fault', fault: 'connect' })
  assert.equal(questions, 1)
})

test('nobody is followed to another address', async (t) => {
  const paths: (string | undefined)[] = []
  const endpoint = await serve(t, (request, response) => {
    paths.push(request.url)
    response.writeHead(307, { location: '/elsewhere' }).end(ANSWER.replace('result', 'other'))
  })
  assert.deepEqual(await endpoint.ask('a', [], never), { type: 'fault', fault: 'http' })
  assert.deepEqual(paths, ['/'])
})
