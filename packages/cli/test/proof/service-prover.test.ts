/** What a running node commits to and shows, from its own store (SPEC §17.5). Proving itself is `proof.test.ts`'s. */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { decodeServiceProof } from '@byway/zk'
import { parseNetworkFile } from '../../src/config/network-file.ts'
import { openOwnStore } from '../../src/engine/own-store.ts'
import { createAuditProgram } from '../../src/proof/audit-program.ts'
import { createServiceProver } from '../../src/proof/service-prover.ts'
import { EPOCH, networkFile, nodeWithReceipts, TOTAL } from '../commands/proof-world.ts'
import { temporaryHome } from '../spawn-byway.ts'

const GOLDEN = fileURLToPath(new URL('../commands/golden.proof', import.meta.url))

test('commits to the receipts of its store, and shows a proof that it has made before', async (t) => {
  const home = await temporaryHome(t)
  const provider = await nodeWithReceipts(home)
  const { payment } = parseNetworkFile(await readFile(await networkFile(home), 'utf8'))
  if (!payment) assert.fail()
  await using store = await openOwnStore(home, 'node')
  const given: Uint8Array[] = []
  const prover = createServiceProver({
    store,
    payment,
    provider,
    home,
    leave: (proof) => void given.push(proof),
    program: { ensure: async () => {} },
    assertRoom: () => {},
  })
  const committed = await prover.commitment(EPOCH, t.signal)
  assert.equal(committed?.total, TOTAL)
  assert.equal(committed?.root.length, 32)
  assert.deepEqual(await prover.commitment(EPOCH, t.signal), committed)
  assert.equal(await prover.commitment(EPOCH + 1, t.signal), undefined)

  const bytes = await readFile(GOLDEN)
  const golden = decodeServiceProof(bytes) ?? assert.fail()
  await mkdir(join(home, 'proofs'))
  await writeFile(join(home, 'proofs', `${EPOCH}.proof`), bytes)
  const shown = await prover.proof(EPOCH, golden, t.signal)
  assert.deepEqual([shown.proof, shown.openings], [golden.proof, golden.openings])
  assert.deepEqual(given, [bytes])
  // Of another beacon it is no proof, and there are no receipts to make one of.
  const other = prover.proof(EPOCH + 1, { ...golden, beacon: 1n }, t.signal)
  await assert.rejects(other, { code: 'PROOF_NO_RECEIPTS' })
  // A store that was put back to another time: nothing is proved of receipts that were not committed to.
  for (const beacon of [golden.beacon, 1n]) {
    const restored = prover.proof(EPOCH, { root: golden.root + 1n, beacon }, t.signal)
    await assert.rejects(restored, { code: 'PROOF_OTHER_RECEIPTS' })
  }
  assert.equal(given.length, 1)
})

test('commits to nothing where no proof could be made: the first challenge would take the stake', async (t) => {
  const home = await temporaryHome(t)
  const provider = await nodeWithReceipts(home)
  const { payment } = parseNetworkFile(await readFile(await networkFile(home), 'utf8'))
  if (!payment) assert.fail()
  await using store = await openOwnStore(home, 'node')
  const before = process.env['XDG_CACHE_HOME']
  process.env['XDG_CACHE_HOME'] = home
  t.after(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME']
    else process.env['XDG_CACHE_HOME'] = before
  })
  // On a real chain nothing is made: a person brings the ceremony's.
  const program = createAuditProgram({
    chainId: 1,
    onStep: () => {},
    onMaking: () => assert.fail(),
  })
  const prover = createServiceProver({ store, payment, provider, home, leave: () => {}, program })
  await assert.rejects(prover.commitment(EPOCH, t.signal), { code: 'ZK_NOT_MADE' })
})
