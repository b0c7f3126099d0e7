/** `byway proof verify NODE` (SPEC §17.6): a proof that a node shows over its links, or another has of it. What the chain says of it is `e2e/service-proof.test.ts`'s. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createNode, type ProofShelf } from '@byway/node'
import { equalBytes, toHex } from '@byway/protocol/base'
import { planNetwork } from '@byway/testnet'
import { decodeServiceProof } from '@byway/zk'
import { createPaidWorld, PARAMETERS } from '../../../testnet/test/support/paid-world.ts'
import { formatNetworkFile, parseNetworkFile } from '../../src/config/network-file.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { EPOCH, networkFile } from './proof-world.ts'
import { asScript } from './wallet-person.ts'

const bytes = await readFile(fileURLToPath(new URL('golden.proof', import.meta.url)))
const golden = decodeServiceProof(bytes) ?? assert.fail()

/** A node of the golden proof's provider, or of another, with these proofs to show; and how to ask for one. */
async function nodeWith(t: TestContext, shelf: ProofShelf, provider: Uint8Array) {
  const home = await temporaryHome(t)
  const known = parseNetworkFile(await readFile(await networkFile(home), 'utf8'))
  const network = { ...known, reachablePrefixes: ['127.0.0.0/8'] }
  const world = await createPaidWorld()
  t.after(() => world[Symbol.asyncDispose]())
  const [plan = assert.fail()] = planNetwork({}).nodes
  const node = createNode({
    network: { ...network, payment: PARAMETERS },
    home,
    listen: { host: '127.0.0.1', port: 0 },
    payment: { ...(await world.payment.nodeOf(plan)), provider, proofs: shelf },
  })
  t.after(() => node[Symbol.asyncDispose]())
  await node.start(t.signal)
  const { host: address, port } = node.listen ?? assert.fail()
  const file = join(home, 'met.toml')
  const bootstrap = [{ nodeId: node.nodeId, address, port }]
  await writeFile(file, formatNetworkFile({ ...network, bootstrap }))
  const verify = async (...args: readonly string[]) => {
    const places = ['--network', file, '--no-chain', '--json']
    const { code, out } = await asScript(['proof', 'verify', ...args, ...places], {})
    return { code, answer: JSON.parse(out) as { holds?: boolean | null; error?: { code: string } } }
  }
  return { home, verify, nodeId: toHex(node.nodeId) }
}

/** Shows these bytes as the proof of one provider. */
function shelfOf(shown: Uint8Array, of: Uint8Array): ProofShelf {
  return {
    find: async (provider, epoch) =>
      equalBytes(provider, of) && [0, EPOCH].includes(epoch) ? shown : undefined,
    take: () => Promise.resolve(),
  }
}

test('a node shows its proof to whoever names it, by its id or its account', async (t) => {
  const shelf = shelfOf(bytes, golden.provider)
  const { home, verify, nodeId } = await nodeWith(t, shelf, golden.provider)
  const saved = join(home, 'saved.proof')
  const found = await verify(nodeId, '--save', saved)
  // Its form does; the chain is asked in proof-exit.test.ts.
  assert.deepEqual([found.code, found.answer.holds], [0, null])
  assert.deepEqual(await readFile(saved), bytes)
  const named = await verify(`0x${toHex(golden.provider)}`, '--epoch', `${EPOCH}`)
  assert.deepEqual([named.code, named.answer.holds], [0, null])
  const none = await verify(nodeId, '--epoch', '7')
  assert.deepEqual([none.code, none.answer.error?.code], [69, 'PROOF_NOT_SHOWN'])
})

test('another node shows it while its maker sleeps; what is false there says nothing of the maker', async (t) => {
  const other = new Uint8Array(20).fill(3)
  const account = toHex(golden.provider)
  const honest = await nodeWith(t, shelfOf(bytes, golden.provider), other)
  assert.equal((await honest.verify(account)).answer.holds, null)
  const changed = Uint8Array.from(bytes)
  changed[145] = (changed[145] ?? 0) ^ 1
  const liar = await nodeWith(t, shelfOf(changed, golden.provider), other)
  assert.equal((await liar.verify(account)).answer.error?.code, 'PROOF_NOT_SHOWN')
  const own = await nodeWith(t, shelfOf(changed, golden.provider), golden.provider)
  assert.equal((await own.verify(account)).answer.error?.code, 'PROOF_FALSE')
})
