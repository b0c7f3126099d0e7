/** A provider's commitments, on a real chain whose clock the test moves. Proofs are those of the test's auditor: the program is another's business. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createProofCalls, createProofsView, type ServiceAnswer } from '@byway/chain'
import { errorBuilder } from '@byway/protocol/base'
import { hexToBytes } from 'viem'
import { uint } from '../../../../contracts/test/kit/bytes.ts'
import { keyOf, type Key } from '../../../../contracts/test/kit/keys.ts'
import { CLAIMED, createService, samplesOf } from '../../../../contracts/test/kit/service.ts'
import type { Opening, Slot } from '../../../../contracts/test/kit/slots.ts'
import { PROFILE, PROOFS, TOKEN } from '../../../../contracts/test/kit/world.ts'
import {
  createEpochKeeper,
  type ServiceAlert,
  type ServiceProver,
} from '../../src/redemption/epoch-keeper.ts'
import { openProvider, settingsOf, startRedeemingWorld } from './redeeming-world.ts'

const world = await startRedeemingWorld()
after(() => world[Symbol.asyncDispose]())
const { scene } = world
const { world: contracts, client } = scene
const { rpc } = contracts
const service = createService(scene)
const HELD = PROFILE.winValue / 20n
const challenger = keyOf('challenger').address
await contracts.fund(challenger, 100n * TOKEN)

const noProgram = errorBuilder<{ ZK_NOT_MADE: Record<string, never> }>({
  ZK_NOT_MADE: ['local', 'the program is not there'],
})('ZK_NOT_MADE', {})

/** A provider that won in an epoch which is over, and its keeper. */
async function keeperOf(
  name: string,
  { canProve = true, hasReceipts = true, isProvingLong = false } = {},
) {
  const key = await scene.provider(name)
  const slots = await scene.slots(`${name} client`, 2)
  await service.until(service.endOf(await service.epoch()))
  const epoch = await service.epoch()
  await scene.bind(
    key,
    slots.map((slot) => [slot, client.winning(slot, key.address, 1)] as const),
  )
  const provider = await openProvider(settingsOf(world, name))
  await rpc.request('anvil_setBalance', key.address, `0x${(10n ** 20n).toString(16)}`)
  const alerts: ServiceAlert[] = []
  const asked = { commitments: 0, proofs: 0, root: 0n }
  const prover: ServiceProver = {
    async commitment() {
      asked.commitments++
      const { root, total, maxUnits } = CLAIMED
      return hasReceipts ? { root: hexToBytes(uint(root, 256)), total, maxUnits } : undefined
    },
    async proof(of, { root }) {
      asked.proofs++
      asked.root = root
      if (!canProve) throw noProgram
      if (isProvingLong) return await new Promise<never>(() => {})
      return answerOf(key, of, slots)
    },
  }
  const contract = hexToBytes(contracts.proofs)
  const start = () =>
    createEpochKeeper({
      chain: provider.chain.view,
      proofs: createProofsView(provider.chain.reader, contract),
      calls: createProofCalls(contract),
      lane: provider.lane,
      prover,
      events: provider.store.ledger,
      provider: hexToBytes(key.address),
      epochS: PROFILE.epochDuration,
      random: () => 0,
      wallMs: () => wallMs,
      onAlert: (alert) => alerts.push(alert),
    })
  let keeper = start()
  let wallMs = Number.MAX_SAFE_INTEGER
  return {
    key,
    epoch,
    alerts,
    asked,
    store: provider.store,
    setWall: (ms: number) => void (wallMs = ms),
    restart: () => void (keeper = start()),
    /** Looks at the chain at this time, a few times: what it sends is mined between. */
    async at(timeS: number) {
      await service.until(timeS)
      for (let look = 0; look < 3; look++) {
        await keeper.look(world.signal)
        await provider.lane.look(world.signal)
        await new Promise(setImmediate)
      }
    },
    state: async () => (await service.commitment(key.address, epoch)).state,
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  }
}

async function answerOf(key: Key, epoch: number, slots: readonly Slot[]): Promise<ServiceAnswer> {
  const samples = samplesOf(slots)
  const proof = hexToBytes(await service.proof(key, epoch, samples))
  return { openings: samples.map(bytesOfOpening), proof }
}

function bytesOfOpening({ root, nullifier, sessionKey, receiptKey, proof }: Opening) {
  return {
    root: hexToBytes(uint(root, 256)),
    nullifier: hexToBytes(uint(nullifier, 256)),
    sessionKey: hexToBytes(sessionKey),
    receiptKey: hexToBytes(receiptKey),
    proof: hexToBytes(proof),
  }
}

test('commits, draws, and fetches what was held back, by itself (SPEC §17.5)', async () => {
  await using node = await keeperOf('keeps')
  const { epoch } = node
  // The last receipts may still be on their way to the disk.
  await node.at(service.endOf(epoch) + 5)
  assert.equal(await node.state(), 'NONE')
  await node.at(service.endOf(epoch) + 60)
  assert.equal(await node.state(), 'COMMITTED')
  await node.at(service.beaconTime(epoch) - 10)
  assert.equal(await service.read('beacon', epoch), 0n)
  await node.at(service.beaconTime(epoch) + 3)
  assert.notEqual(await service.read('beacon', epoch), 0n)
  node.restart()
  await node.at(service.beaconTime(epoch) + 60)
  assert.ok(node.asked.proofs >= 1, 'the proof is ready before anybody asks')
  assert.equal(node.asked.root, CLAIMED.root, 'it is of what the chain has')
  await node.at(service.challengeEnd(epoch))
  assert.equal(await node.state(), 'SETTLED')
  assert.equal(await contracts.balance(keyOf('keeps payout').address), 2n * HELD)
  assert.deepEqual(node.alerts, [])
  assert.equal(node.asked.commitments, 1)
  let gas = 0
  for await (const { event } of node.store.ledger.read()) gas += Number(event.type === 'gas-paid')
  assert.equal(gas, 3, 'commit, draw and settle are in the books')
})

test('answers a challenge by itself, and tells its operator', async () => {
  await using node = await keeperOf('answers')
  const { epoch, key } = node
  await node.at(service.endOf(epoch) + 60)
  await node.at(service.beaconTime(epoch) + 3)
  await service.send(challenger, 'challenge', key.address, epoch)
  await node.at((await rpc.now()) + 60)
  assert.deepEqual(
    node.alerts.map(({ type }) => type),
    ['challenged'],
  )
  await node.at((await rpc.now()) + 60)
  assert.equal(await node.state(), 'SETTLED')
  const payout = await contracts.balance(keyOf('answers payout').address)
  assert.equal(payout, PROOFS.challengeBond + 2n * HELD)
})

test('says that it cannot prove, tries again, and says when it has failed', async () => {
  await using node = await keeperOf('cannot', { canProve: false })
  const { epoch, key } = node
  await node.at(service.endOf(epoch) + 60)
  await node.at(service.beaconTime(epoch) + 3)
  await node.at((await rpc.now()) + 60)
  assert.deepEqual(node.alerts, [{ type: 'proof-missing', epoch, code: 'ZK_NOT_MADE' }])
  assert.equal(node.asked.proofs, 1)
  await service.send(challenger, 'challenge', key.address, epoch)
  await node.at((await rpc.now()) + 600)
  assert.equal(node.asked.proofs, 2)
  await rpc.pass(PROOFS.answerWindow)
  await service.send(challenger, 'slash', key.address, epoch)
  await node.at((await rpc.now()) + 60)
  assert.deepEqual(
    node.alerts.map(({ type }) => type),
    ['proof-missing', 'challenged', 'epoch-failed'],
  )
})

test('commits to an epoch while the proof of the one before is still being made', async () => {
  await using node = await keeperOf('busy', { isProvingLong: true })
  const { epoch, key } = node
  await node.at(service.endOf(epoch) + 60)
  await node.at(service.beaconTime(epoch) + 3)
  await node.at((await rpc.now()) + 60)
  assert.equal(node.asked.proofs, 1)
  await node.at(service.endOf(epoch + 1) + 60)
  assert.equal((await service.commitment(key.address, epoch + 1)).state, 'COMMITTED')
})

test('says what it takes to commit where there is no coin for gas, and commits when there is', async () => {
  await using node = await keeperOf('poor')
  const { epoch, key } = node
  await rpc.request('anvil_setBalance', key.address, '0x0')
  await node.at(service.endOf(epoch) + 60)
  const deadlineS = service.endOf(epoch) + PROOFS.commitWindow
  assert.deepEqual(node.alerts, [{ type: 'commit-no-coin', epoch, deadlineS }])
  assert.equal(await node.state(), 'NONE')
  await rpc.request('anvil_setBalance', key.address, `0x${(10n ** 20n).toString(16)}`)
  await node.at(service.endOf(epoch) + 120)
  assert.equal(await node.state(), 'COMMITTED')
})

test('says what is lost with an epoch to which nothing was committed in time', async () => {
  await using node = await keeperOf('late')
  const { epoch } = node
  await node.at(service.endOf(epoch) + PROOFS.commitWindow)
  assert.deepEqual(node.alerts, [{ type: 'epoch-lost', epoch, held: 2n * HELD }])
  assert.equal(await node.state(), 'NONE')
})

test('commits to nothing where nobody signed, and waits for its own clock too', async () => {
  await using silent = await keeperOf('unsigned', { hasReceipts: false })
  await silent.at(service.endOf(silent.epoch) + 60)
  assert.equal(await silent.state(), 'NONE')
  await using early = await keeperOf('slow clock')
  early.setWall((service.endOf(early.epoch) + 59) * 1000)
  await early.at(service.endOf(early.epoch) + 120)
  assert.equal(early.asked.commitments, 0)
  early.setWall((service.endOf(early.epoch) + 61) * 1000)
  await early.at(service.endOf(early.epoch) + 180)
  assert.equal(await early.state(), 'COMMITTED')
})
