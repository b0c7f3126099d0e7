import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { isAlive, untilGone } from '../../home/test/processes.ts'
import { startAnvil } from '../src/anvil/start-anvil.ts'
import { createRpcEndpoint } from '../src/rpc/endpoint.ts'

test('listens on the loopback, on a port of its own, as chain 31337', async (t) => {
  await using anvil = await startAnvil({ signal: t.signal })
  assert.match(anvil.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  const endpoint = createRpcEndpoint({ url: anvil.url, nowMs: () => performance.now() })
  const answer = await endpoint.ask('eth_chainId', [], t.signal)
  assert.deepEqual(answer, { type: 'result', result: '0x7a69' })
  const account = new Uint8Array(20).fill(9)
  await anvil.setBalance(account, 7n)
  const asked = ['0x0909090909090909090909090909090909090909', 'latest']
  assert.deepEqual(await endpoint.ask('eth_getBalance', asked, t.signal), {
    type: 'result',
    result: '0x7',
  })
})

test('says why it did not start', async (t) => {
  await using first = await startAnvil({ signal: t.signal })
  await assert.rejects(startAnvil({ port: first.port, signal: t.signal }), { code: 'CHAIN_ANVIL' })
})

test('is gone when the program that started it is killed', async () => {
  const source = new URL('../src/anvil/start-anvil.ts', import.meta.url).href
  const script = `
    import { startAnvil } from ${JSON.stringify(source)}
    const anvil = await startAnvil({ signal: new AbortController().signal })
    console.log(anvil.pid)
    setInterval(() => {}, 1000)
  `
  const args = ['--conditions=byway:source', '--input-type=module-typescript', '--eval', script]
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(said.toString())
  assert.ok(isAlive(pid))
  parent.kill('SIGKILL')
  await untilGone(pid)
})
