import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { startAnvil, type DeploymentRecord } from '@byway/chain'
import { parseNetworkFile } from '../../src/config/network-file.ts'
import { byway, temporaryHome } from '../spawn-byway.ts'

/** Of the public test mnemonic of development chains: funded by anvil, known to everyone. */
const KEY = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

test('deploys, writes the record, and prints the table of the network file', async (t) => {
  const home = await temporaryHome(t)
  await using anvil = await startAnvil({ signal: t.signal })
  const [keyFile, recordFile] = [join(home, 'key'), join(home, 'record.json')]
  await writeFile(keyFile, `${KEY}\n`, { mode: 0o600 })
  const args = ['deploy', '--rpc', anvil.url, '--key-file', keyFile, '--record', recordFile]
  const { code, out, err } = await byway(args)
  assert.equal(code, 0, err)
  const record = JSON.parse(await readFile(recordFile, 'utf8')) as DeploymentRecord
  assert.deepEqual([record.chainId, record.authorisation], [31_337, 'slot-proof-development'])
  const { payment } = parseNetworkFile(`name = "lab"\nlocal = true\n${out}`)
  const pool = `0x${Buffer.from(payment?.pool ?? []).toString('hex')}`
  assert.equal(pool, record.contracts.pool?.address)
  assert.equal(payment?.winValue, 10n ** 17n)
  assert.equal(`${out}${err}`.includes(KEY), false)
  // A record is not overwritten: it is the only one there is.
  assert.notEqual((await byway(args)).code, 0)
  assert.deepEqual(JSON.parse(await readFile(recordFile, 'utf8')), record)
})

test('refuses any other chain than a local one, and says why, before it sends anything', async (t) => {
  const home = await temporaryHome(t)
  const asked: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      asked.push((JSON.parse(body) as { method: string }).method)
      response.end('{"jsonrpc":"2.0","id":1,"result":"0xa"}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const keyFile = join(home, 'key')
  await writeFile(keyFile, KEY, { mode: 0o600 })
  const args = ['deploy', '--rpc', `http://127.0.0.1:${port}`, '--key-file', keyFile, '--json']
  const { code, out } = await byway([...args, '--record', join(home, 'record.json')])
  assert.notEqual(code, 0)
  assert.match(out, /CHAIN_DEVELOPMENT_SET_UP/)
  assert.match(out, /anybody could forge/)
  assert.match(out, /CEREMONY/)
  assert.deepEqual(asked, ['eth_chainId'])
})

for (const [what, args] of [
  ['no endpoint', ['--key-file', 'key']],
  ['no key', ['--rpc', 'http://127.0.0.1:1']],
  ['an endpoint that is no URL', ['--rpc', 'chain', '--key-file', 'key']],
] as const) {
  test(`refuses ${what} with 64`, async () => {
    const { code } = await byway(['deploy', ...args])
    assert.equal(code, 64)
  })
}
