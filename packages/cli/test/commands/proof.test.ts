/**
 * `byway proof make|verify` (SPEC §17.4). The golden proof is one that the last test made, which `SLOW=1` runs: so every run checks a real one.
 */
import assert from 'node:assert/strict'
import { SERVICE_PROOF_BYTES } from '@byway/protocol/wire'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { toHex } from '@byway/protocol/base'
import { nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import { assertMade, createZkEngine, decodeServiceProof, verifyServiceProof } from '@byway/zk'
import { openControl } from '../../src/control/control-socket.ts'
import { openOwnStore } from '../../src/engine/own-store.ts'
import { proofAnswers } from '../../src/proof/own-receipts.ts'
import { checkCommitment } from '../../src/proof/judge-proof.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { EPOCH, networkFile, nodeWithReceipts, pool, SLOTS, TOTAL } from './proof-world.ts'
import { asScript } from './wallet-person.ts'

const GOLDEN = fileURLToPath(new URL('golden.proof', import.meta.url))
const BEACON = '0xbeac0'
/** `npm run zk -- service-audit` has run here. */
const isMade = await assertMade('service-audit').then(
  () => true,
  () => false,
)
const isSlow = process.env['SLOW'] === '1'

async function proof(...args: readonly string[]) {
  const { code, out, err } = await asScript(['proof', ...args, '--json'], {})
  const [line = '{}'] = out.trim().split('\n').slice(-1)
  return { code, answer: JSON.parse(line) as Record<string, unknown>, err }
}

const errorOf = ({ answer }: { readonly answer: Record<string, unknown> }): unknown =>
  (answer['error'] as { readonly code?: string } | undefined)?.code

async function folderOf(t: TestContext): Promise<{ home: string; places: readonly string[] }> {
  const home = await temporaryHome(t)
  return { home, places: ['--home', home, '--network', await networkFile(home)] }
}

describe('byway proof make', () => {
  it('says what a node commits to, from its store and from the node that runs', async (t) => {
    const { home, places } = await folderOf(t)
    const provider = await nodeWithReceipts(home)
    const make = ['make', '--epoch', `${EPOCH}`, ...places]
    const { code, answer, err } = await proof(...make)
    assert.equal(code, 0, err)
    const { root, ...rest } = answer
    assert.match(String(root), /^0x[0-9a-f]{64}$/)
    const shown = { provider: `0x${toHex(provider)}`, epoch: EPOCH, total: TOTAL }
    assert.deepEqual(rest, { ...shown, maxUnits: 512, receipts: SLOTS })
    assert.match(err, new RegExp(`byway: hashing ${SLOTS} receipts\n`))

    await using store = await openOwnStore(home, 'node')
    const answers = { status: () => ({}), stop: () => ({}), proofs: proofAnswers(store) }
    await using _control = await openControl(home, 'node', answers)
    assert.deepEqual((await proof(...make)).answer, answer)
  })

  it('refuses an epoch without receipts, one that has not ended, and half a command', async (t) => {
    const { home, places } = await folderOf(t)
    await nodeWithReceipts(home)
    assert.equal(errorOf(await proof('make', '--epoch', '7', ...places)), 'PROOF_NO_RECEIPTS')
    const late = await proof('make', '--epoch', '99999', ...places)
    assert.deepEqual([late.code, errorOf(late)], [78, 'PROOF_TOO_EARLY'])
    for (const half of [
      ['--beacon', BEACON],
      [join(home, 'x.proof'), '--beacon', 'ff'],
      [join(home, 'x.proof'), '--beacon', `0x${'f'.repeat(64)}`],
    ])
      assert.equal((await proof('make', ...half, ...places)).code, 64, half.join(' '))
  })
})

describe('byway proof make, without the audit’s program', () => {
  const cache = process.env['XDG_CACHE_HOME']
  after(() => {
    if (cache === undefined) delete process.env['XDG_CACHE_HOME']
    else process.env['XDG_CACHE_HOME'] = cache
  })

  it('says how it is made, and leaves no file behind', async (t) => {
    const { home, places } = await folderOf(t)
    await nodeWithReceipts(home)
    process.env['XDG_CACHE_HOME'] = home
    const path = join(home, 'x.proof')
    const made = await proof('make', path, '--epoch', `${EPOCH}`, '--beacon', BEACON, ...places)
    assert.deepEqual([made.code, errorOf(made)], [74, 'ZK_NOT_MADE'])
    assert.match(made.err, /npm run zk -- service-audit/)
    await assert.rejects(readFile(path), { code: 'ENOENT' })
  })
})

describe('byway proof verify', () => {
  it('takes a proof that was published, with the file of its network only', async (t) => {
    const { places } = await folderOf(t)
    const { code, answer, err } = await proof('verify', GOLDEN, '--no-chain', ...places)
    assert.equal(code, 0, err)
    const { holds, epoch, total, slots, checked, notChecked } = answer
    // Without the chain anybody can make one in this form.
    assert.deepEqual([holds, epoch, total], [null, EPOCH, TOTAL])
    // The beacon drew none of the sixteen units of the third.
    assert.equal(new Set(slots as readonly string[]).size, SLOTS - 1)
    assert.deepEqual(checked, ['receipts', 'slots'])
    assert.deepEqual(notChecked, ['roots', 'commitment', 'beacon'])
  })

  it('says nothing of a proof while its chain does not answer, and how to check the form', async (t) => {
    const { places } = await folderOf(t)
    const shown = await proof('verify', GOLDEN, ...places)
    assert.deepEqual([shown.code, errorOf(shown)], [69, 'PROOF_CHAIN_AWAY'])
    assert.match(shown.err, /--no-chain/)
    const form = await proof('verify', GOLDEN, '--no-chain', ...places)
    assert.equal(form.code, 0)
    assert.match(form.err, /not checked, since only the chain knows: roots, commitment, beacon/)
  })

  it('holds root, total, most units and beacon against what the contract has', async (t) => {
    const made = decodeServiceProof(await readFile(GOLDEN))
    assert.ok(made)
    const { root, beacon } = made
    const units = { total: Number(made.total), maxUnits: Number(made.maxUnits) }
    const committed = { state: 'committed', root, ...units, held: 0n, challengedAtS: 0 } as const
    const check = (change: object, drawn: bigint | undefined = beacon): Promise<unknown> => {
      const commitment = () => Promise.resolve({ ...committed, ...change })
      return checkCommitment(made, { commitment, beacon: () => Promise.resolve(drawn) }, t.signal)
    }
    await check({})
    for (const change of [{ state: 'none' }, { root: 1n }, { total: 1 }, { maxUnits: 512 }])
      await assert.rejects(check(change), { context: { part: 'commitment' } })
    await assert.rejects(check({}, 1n), { context: { part: 'beacon' } })
  })

  it('asks the chain for the beacon, and names a proof by its node or by its file', async (t) => {
    const { home, places } = await folderOf(t)
    await nodeWithReceipts(home)
    const noContract = await proof('make', join(home, 'x.proof'), '--epoch', `${EPOCH}`, ...places)
    assert.equal(errorOf(noContract), isMade ? 'PROOF_NO_EPOCHS' : 'ZK_NOT_MADE')
    for (const half of [
      [GOLDEN, '--epoch', `${EPOCH}`],
      [GOLDEN, '--save', join(home, 'y.proof')],
    ])
      assert.equal((await proof('verify', ...half, ...places)).code, 64, half.join(' '))
    const nobody = await proof('verify', 'ab'.repeat(32), ...places)
    assert.equal(errorOf(nobody), 'ENTRY_UNREACHABLE')
  })

  it('finds a proof false once anything in it was changed', async (t) => {
    const { home, places } = await folderOf(t)
    const bytes = await readFile(GOLDEN)
    const changedAt = (at: number): Buffer => {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      return changed
    }
    const opening = 402 + 5 * 374
    const changes = {
      network: [14 + 7, 22],
      units: [113],
      // Provider, epoch, root, total, beacon, a number of the proof; nullifier and receipt key of a sample.
      audit: [42, 65, 97, 105, 145, 401, opening + 63, opening + 115],
      // Root, session key and proof of a sample.
      slot: [opening + 31, opening + 64, opening + 373],
    }
    using engine = createZkEngine()
    for (const [fault, places_] of Object.entries(changes))
      for (const at of places_) {
        const changed = decodeServiceProof(changedAt(at))
        assert.ok(changed)
        const found = await verifyServiceProof({ crypto, engine, pool }, changed)
        const sample = fault === 'slot' ? { sample: 5 } : {}
        assert.deepEqual(found, { fault, ...sample }, `byte ${at}`)
      }
    const path = join(home, 'changed.proof')
    await writeFile(path, changedAt(145))
    const outcome = await proof('verify', path, '--no-chain', ...places)
    assert.deepEqual([outcome.code, errorOf(outcome)], [76, 'PROOF_FALSE'])
  })

  it('refuses what is no proof, and reads no more of it than a proof has', async (t) => {
    const { home, places } = await folderOf(t)
    const path = join(home, 'none.proof')
    for (const content of [
      Buffer.alloc(0),
      Buffer.alloc(SERVICE_PROOF_BYTES),
      Buffer.alloc(1e6, 'byway'),
    ]) {
      await writeFile(path, content)
      const outcome = await proof('verify', path, ...places)
      assert.deepEqual([outcome.code, errorOf(outcome)], [78, 'PROOF_FILE'])
    }
    assert.equal((await proof('verify', join(home, 'missing'), ...places)).code, 74)
  })
})

const skip =
  !isSlow && 'a minute of all cores, and `npm run zk -- service-audit` before: with SLOW=1'
describe('byway proof, the whole of it', { skip }, () => {
  it('makes a proof that verifies', async (t) => {
    const { home, places } = await folderOf(t)
    using engine = createZkEngine()
    await nodeWithReceipts(home, engine)
    const path = join(home, 'week.proof')
    const make = ['make', path, '--epoch', `${EPOCH}`, '--beacon', BEACON, ...places]
    const made = await proof(...make)
    assert.equal(made.code, 0, made.err)
    const verified = await proof('verify', path, '--no-chain', ...places)
    assert.equal(verified.code, 0, verified.err)
    assert.deepEqual(
      [verified.answer['root'], verified.answer['total']],
      [made.answer['root'], made.answer['total']],
    )
    // A proof is not written over.
    assert.equal((await proof(...make)).code, 74)
  })
})
