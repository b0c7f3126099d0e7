/**
 * An exit's service proof from its receipts to a stranger (SPEC §17.5, §17.6), on a real chain with the real contracts: its keeper commits to them, the node shows and leaves the proof, and `byway proof
 * verify` holds it against the chain. A proof takes half a minute of all cores, so this one was made before (`vectors/service-answer.json`) and lies where the node finds its own; how one is made
 * is `e2e/service-proof.test.ts`'s.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createProofCalls, createProofsView } from '@byway/chain'
import { createEpochKeeper, createNode, type ProofShelf, type RunningNode } from '@byway/node'
import { toHex } from '@byway/protocol/base'
import { createStakeTable } from '@byway/protocol/directory'
import type { NetworkParameters, PaymentParameters } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { u256Bytes } from '@byway/protocol/ticket'
import { encodeOpening, ROLE } from '@byway/protocol/wire'
import { createLocalPurse } from '@byway/purse'
import { planNetwork } from '@byway/testnet'
import { createZkEngine, encodeServiceProof } from '@byway/zk'
import { bytesToHex, hexToBytes, type Hex } from 'viem'
import { uint } from '../../../../contracts/test/kit/bytes.ts'
import {
  type AnswerScene,
  placeBeacon,
  readAnswer,
  startAnswerScene,
} from '../../../../contracts/test/kit/real-answer.ts'
import type { Opening } from '../../../../contracts/test/kit/slots.ts'
import { readDirectory } from '../../../client/src/engine/ask-node.ts'
import { loadIdentity } from '../../../node/src/identity-store.ts'
import {
  openProvider,
  paymentOf,
  settingsOf,
  type RunningProvider,
} from '../../../node/test/redemption/redeeming-world.ts'
import { STAMP_VERIFIER } from '../../../protocol/test/ticket/stamp-proofs.ts'
import { signedReceiptOf } from '../../../zk/src/receipt-form.ts'
import { formatNetworkFile } from '../../src/config/network-file.ts'
import { createProofShelf, keepProof, ownProofPath } from '../../src/proof/proof-shelf.ts'
import { createServiceProver } from '../../src/proof/service-prover.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { asScript } from './wallet-person.ts'

const PRICE_STEP = 4
/** What the keeper does at a time is mined between its looks. */
const LOOKS = 3

test('an exit commits to its receipts and shows their proof, which a stranger holds against the chain, also while the exit sleeps', async (t) => {
  const homes = { exit: await temporaryHome(t), relay: await temporaryHome(t) }
  const made = await startAnswerScene(await nodeIdIn(homes.exit))
  t.after(() => made.scene[Symbol.asyncDispose]())
  const folder = await mkdtemp(join(tmpdir(), 'byway-exit-proof-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const settings = settingsOf({ scene: made.scene, folder }, 'provider')
  const running = await openProvider(settings)
  t.after(() => running[Symbol.asyncDispose]())
  const payment = paymentOf(settings)
  const { epoch } = await readAnswer(made)
  const proofBytes = await publishedProof(made, payment)

  const taken = Promise.withResolvers<void>()
  // A stranger takes the word of nodes with a stake only.
  const relayKey = await made.scene.provider('relay', await nodeIdIn(homes.relay))
  const relay = await nodeIn(
    t,
    { running, payment, network: localNetwork(payment), home: homes.relay },
    { own: hexToBytes(relayKey.address), isExit: false },
  )
  const first = relay.node.listen ?? assert.fail()
  const bootstrap = [{ nodeId: relay.node.nodeId, address: first.host, port: first.port }]
  const network = { ...localNetwork(payment), bootstrap }
  relay.onTaken = taken.resolve
  const provider = hexToBytes(made.provider.address)
  const place = { running, payment, network, home: homes.exit }
  const exit = await nodeIn(t, place, { own: provider, isExit: true })
  assert.equal(exit.node.status().exit, 'open')

  await keepProof(ownProofPath(exit.home, epoch), proofBytes)
  const stranger = await strangerOf(t, network)
  const early = await stranger.verify(toHex(exit.node.nodeId))
  assert.equal(faultOf(early), 'PROOF_FALSE')

  const keeper = await keeperOf(made, running, { payment, provider, exit })
  await keeper.at(made.service.endOf(epoch) + 3600)
  const proofs = createProofsView(running.chain.reader, payment.proofs?.contract ?? assert.fail())
  const committed = await proofs.commitment(provider, epoch, t.signal)
  assert.deepEqual(
    [committed.state, committed.root, BigInt(committed.total), BigInt(committed.maxUnits)],
    ['committed', made.statement.root, made.statement.total, made.statement.maxUnits],
  )
  await placeBeacon(made)
  await keeper.at(made.service.beaconTime(epoch))
  await taken.promise

  const known = [...(await stranger.directory())]
  await stranger.rejectsTooLittle(known.length)
  const { descriptor } = known.find(({ key }) => key === toHex(exit.node.nodeId)) ?? assert.fail()
  assert.equal(descriptor.roles & ROLE.EXIT, ROLE.EXIT)
  assert.deepEqual(descriptor.provider, provider)
  for (const whose of [toHex(exit.node.nodeId), `0x${toHex(provider)}`]) {
    const { code, answer } = await stranger.verify(whose, '--epoch', `${epoch}`)
    assert.deepEqual([code, answer['holds'], answer['notChecked']], [0, true, []])
    assert.equal(answer['total'], Number(made.statement.total))
  }
  await exit.node[Symbol.asyncDispose]()
  const asleep = await stranger.verify(`0x${toHex(provider)}`, '--epoch', `${epoch}`)
  assert.deepEqual(
    [asleep.code, asleep.answer['holds'], asleep.answer['notChecked']],
    [0, true, []],
  )

  // Two thirds of all stake are shown, and then half of it: who else is hidden may have what was asked for.
  await made.scene.provider('hidden')
  const doubt = ['challenge', `0x${toHex(provider)}`, '--epoch', `${epoch}`, '--yes']
  assert.equal((await stranger.verify(`0x${toHex(provider)}`)).answer['holds'], true)
  assert.equal(faultOf(await stranger.proof(...doubt)), 'PROOF_HOLDS')
  await made.scene.provider('hidden too')
  assert.equal(faultOf(await stranger.verify(`0x${toHex(provider)}`)), 'DIRECTORY_INCOMPLETE')
  assert.equal(faultOf(await stranger.proof(...doubt)), 'DIRECTORY_INCOMPLETE')
  const byId = ['challenge', toHex(exit.node.nodeId), '--yes']
  assert.equal(faultOf(await stranger.proof(...byId)), 'DIRECTORY_INCOMPLETE')
  assert.equal((await stranger.verify(`0x${toHex(provider)}`, '--no-chain')).code, 0)
})

type Place = {
  readonly running: RunningProvider
  readonly payment: PaymentParameters
  readonly network: NetworkParameters
  readonly home: string
}

/** The node id that a node with this state folder will have. */
async function nodeIdIn(home: string): Promise<Hex> {
  const { publicKey } = nodeCrypto.ed25519KeyPair(await loadIdentity(home))
  return bytesToHex(publicKey)
}

type ShowingNode = { readonly node: RunningNode; readonly home: string; onTaken: () => void }

/** An exit of this provider, or a relay that keeps what others leave. */
async function nodeIn(
  t: TestContext,
  { running, payment, network, home }: Place,
  { own, isExit }: { readonly own: Uint8Array; readonly isExit: boolean },
): Promise<ShowingNode> {
  const engine = createZkEngine()
  t.after(() => engine[Symbol.dispose]())
  const { view, reader } = running.chain
  const shelf = createProofShelf({
    payment,
    provider: own,
    home,
    view,
    proofs: createProofsView(reader, payment.proofs?.contract ?? assert.fail()),
    engine,
  })
  const proofs: ProofShelf = {
    find: (whose, epoch) => shelf.find(whose, epoch),
    async take(bytes, signal) {
      await shelf.take(bytes, signal)
      showing.onTaken()
    },
  }
  const node = createNode({
    network,
    home,
    listen: { host: isExit ? '127.0.2.1' : '127.0.1.1', port: 0 },
    exit: isExit ? { profile: 'web' } : undefined,
    payment: {
      chain: view,
      store: running.store,
      verifier: STAMP_VERIFIER,
      provider: own,
      priceStep: PRICE_STEP,
      proofs,
    },
  })
  t.after(() => node[Symbol.asyncDispose]())
  const showing: ShowingNode = { node, home, onTaken() {} }
  await node.start(t.signal)
  return showing
}

function localNetwork(payment: PaymentParameters): NetworkParameters {
  return { ...planNetwork({}).network, payment }
}

/** The kept answer in the form in which proofs are published (SPEC §17.4). */
async function publishedProof(
  made: AnswerScene,
  { chainId, pool }: PaymentParameters,
): Promise<Uint8Array> {
  const { epoch, openings, proof } = await readAnswer(made)
  const { root, total, maxUnits, beacon } = made.statement
  const provider = hexToBytes(made.provider.address)
  const claim = { chainId, pool, provider, epoch, root, total, maxUnits, beacon }
  return encodeServiceProof({
    ...claim,
    proof: hexToBytes(proof),
    openings: openings.map(openingBytes),
  })
}

function openingBytes({ root, nullifier, sessionKey, receiptKey, proof }: Opening) {
  return {
    root: u256Bytes(root),
    nullifier: u256Bytes(nullifier),
    sessionKey: hexToBytes(sessionKey),
    receiptKey: hexToBytes(receiptKey),
    proof: hexToBytes(proof),
  }
}

/** The keeper of the exit, over a store with the receipts. */
async function keeperOf(
  made: AnswerScene,
  { store, chain, lane }: RunningProvider,
  {
    payment,
    provider,
    exit,
  }: {
    readonly payment: PaymentParameters
    readonly provider: Uint8Array
    readonly exit: ShowingNode
  },
): Promise<{ at(timeS: number): Promise<void> }> {
  const { epoch } = await readAnswer(made)
  for (const [i, receipt] of made.receipts.entries()) {
    const nullifier = u256Bytes(receipt.nullifier)
    const body = { provider, nullifier, epoch, units: Number(receipt.units) }
    await store.receipts.put(signedReceiptOf(body, receipt))
    const opening = openingBytes(made.slots[i]?.opening ?? assert.fail())
    const shown = { nullifier, sessionKey: opening.sessionKey, opening: encodeOpening(opening) }
    await store.openings.remember({ ...shown, keyEpoch: 0, floor: 0, firstSeenMs: 0 })
  }
  const { proofs: { contract, epochS } = {} } = payment
  assert.ok(contract && epochS !== undefined)
  const prover = createServiceProver({
    store,
    payment,
    provider,
    home: exit.home,
    leave: (proof) => exit.node.leaveProof(proof),
    program: { ensure: async () => {} },
    assertRoom() {},
  })
  // The keeper's looks wait for neither.
  let working: Promise<unknown> = Promise.resolve()
  const waitedFor = <T>(work: Promise<T>): Promise<T> => {
    working = work.catch(() => {})
    return work
  }
  const keeper = createEpochKeeper({
    chain: chain.view,
    proofs: createProofsView(chain.reader, contract),
    calls: createProofCalls(contract),
    lane,
    prover: {
      commitment: (of, until) => waitedFor(prover.commitment(of, until)),
      proof: (of, drawn, until) => waitedFor(prover.proof(of, drawn, until)),
    },
    maxFee: 0n,
    drawsForAll: false,
    provider,
    epochS,
    random: () => 0,
    wallMs: () => Number.MAX_SAFE_INTEGER,
    onAlert: ({ type }) => assert.fail(type),
  })
  const { rpc } = made.scene.world
  await rpc.request('anvil_setBalance', made.provider.address, uint(10n ** 20n, 256))
  const signal = AbortSignal.timeout(600_000)
  return {
    async at(timeS) {
      await made.service.until(timeS)
      for (let look = 0; look < LOOKS; look++) {
        await keeper.look(signal)
        await working
        await lane.look(signal)
        await new Promise(setImmediate)
      }
    },
  }
}

type Answer = { readonly code: number; readonly answer: Readonly<Record<string, unknown>> }

function faultOf({ answer }: Answer): string | undefined {
  return (answer['error'] as { readonly code?: string } | undefined)?.code
}

/** Somebody with the file of the network, and a purse without money. */
async function strangerOf(t: TestContext, network: NetworkParameters) {
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  const file = join(home, 'met.toml')
  await writeFile(file, formatNetworkFile(network))
  const proof = async (...args: readonly string[]): Promise<Answer> => {
    const places = ['--network', file, '--json']
    const { code, out } = await asScript(['proof', ...args, ...places], { BYWAY_HOME: home })
    return { code, answer: JSON.parse(out) as Answer['answer'] }
  }
  return {
    proof,
    verify: (...args: readonly string[]) => proof('verify', ...args),
    /** What first contacts show counts only with enough of the active stake behind it. */
    async rejectsTooLittle(nodes: number) {
      const shown = { activeStake: BigInt(nodes * 1000), stakeOf: () => 599n }
      const view = Object.assign(createStakeTable(1n), shown)
      const asked = { network, nowMs: Date.now, random: () => 0, signal: t.signal }
      await assert.rejects(readDirectory({ ...asked, stakes: { view } }), {
        code: 'DIRECTORY_INCOMPLETE',
        context: { descriptors: nodes, stakePercent: 59 },
      })
    },
    async directory() {
      const found = await readDirectory({
        network,
        nowMs: Date.now,
        random: () => 0,
        signal: t.signal,
      })
      return found.entries()
    },
  }
}
