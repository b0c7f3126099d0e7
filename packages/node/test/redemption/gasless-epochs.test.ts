/** Service proofs of a node without coin (SPEC §15.7, §17.5): redeemers send each step, and are paid by the contract out of what was held back, or of a challenger's bond. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createPool } from '@byway/protocol/ticket'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { REDEEM_ANSWER } from '@byway/protocol/wire'
import { hexToBytes } from 'viem'
import { hash, text, uint } from '../../../../contracts/test/kit/bytes.ts'
import { type Key, keyOf } from '../../../../contracts/test/kit/keys.ts'
import { createService } from '../../../../contracts/test/kit/service.ts'
import { PROOFS, TOKEN } from '../../../../contracts/test/kit/world.ts'
import {
  createRedeemers,
  type Redeemers,
  type RedeemersDeps,
} from '../../src/redemption/redeemers.ts'
import { HELD, keeperOf } from './epoch-world.ts'
import { type OpenRedeemer, openRedeemer } from './redeemer-kit.ts'
import { startRedeemingWorld } from './redeeming-world.ts'

const world = await startRedeemingWorld()
after(() => world[Symbol.asyncDispose]())
const { scene } = world
const { world: contracts } = scene
const { rpc, profile, pool, proofs } = contracts
const service = createService(scene)
const challenger = keyOf('challenger').address
await contracts.fund(challenger, 100n * TOKEN)
const PEER = new Uint8Array(32).fill(7)

type Ask = RedeemersDeps['ask']

/** The provider's side, which asks these; the fee of each commitment that was signed is noted. */
function redeemersOf(key: Key, asked: readonly Ask[], fees: bigint[]): Redeemers {
  const { winValue: faceValue, winsPerSlot, bond, unit } = profile
  const terms = { chainId: 31_337, pool: hexToBytes(pool), faceValue, winsPerSlot, bond, unit }
  return createRedeemers({
    pool: createPool(nodeTicketCrypto, terms),
    provider: hexToBytes(key.address),
    fee: 0n,
    lockFee: 0n,
    sign: () => assert.fail('no wins are handed over'),
    async signCommitment({ epoch, root, total, maxUnits, fee }) {
      fees.push(fee)
      const said = [uint(BigInt(`0x${Buffer.from(root).toString('hex')}`), 256), uint(total, 48)]
      const place = [text('byway service v1'), uint(31_337, 256), proofs, uint(epoch, 32)]
      return hexToBytes(key.sign(hash(...place, ...said, uint(maxUnits, 48), uint(fee, 96))))
    },
    candidates: () => asked.map((_ask, at) => new Uint8Array(32).fill(at)),
    ask: async (nodeId, order, signal) => asked[nodeId[0] ?? 0]?.(nodeId, order, signal),
  })
}

const taker =
  ({ service: at }: OpenRedeemer): Ask =>
  (_nodeId, order, signal) =>
    at.take(PEER, order, signal)

/** Works until so much is in its books: what was mined is booked at a later look. */
async function workUntil(redeemer: OpenRedeemer, earned: bigint): Promise<void> {
  for (let works = 0; (await feesOf(redeemer)) < earned; works++) {
    assert.ok(works < 50, 'it never came to that')
    await redeemer.work()
  }
}

async function feesOf({ store }: OpenRedeemer): Promise<bigint> {
  let earned = 0n
  for await (const { event } of store.ledger.read())
    if (event.type === 'fee-earned') earned += event.amount
  return earned
}

test('a node without coin has its steps sent, and pays for them out of what was held back', async () => {
  await using redeemer = await openRedeemer(world, 'sends steps')
  // A redeemer has an eye on the beacon of every epoch, though it has nothing of its own to prove.
  await using drawer = await keeperOf(world, 'draws for all', {
    hasReceipts: false,
    drawsForAll: true,
  })
  const fees: bigint[] = []
  await using node = await keeperOf(world, 'penniless', {
    wei: 0n,
    redeemers: (key) => redeemersOf(key, [taker(redeemer)], fees),
  })
  const { epoch, key } = node
  await node.at(service.endOf(epoch) + 60)
  assert.equal(await node.state(), 'NONE')
  await workUntil(redeemer, HELD / 2n)
  assert.equal(await node.state(), 'COMMITTED')
  assert.deepEqual(fees, [HELD / 2n], 'a quarter of what two wins held back')
  await drawer.at(service.beaconTime(epoch) + 3)
  assert.notEqual(await service.read('beacon', epoch), 0n)
  await node.at(service.challengeEnd(epoch))
  await workUntil(redeemer, HELD)
  assert.equal(await node.state(), 'SETTLED')
  assert.equal(await contracts.balance(keyOf('penniless payout').address), HELD)
  assert.equal(await contracts.balance(keyOf('sends steps').address), HELD)
  assert.equal(await feesOf(redeemer), HELD, 'both fees are in its books')
  assert.equal(await contracts.balance(key.address), 0n)
  assert.deepEqual(node.alerts, [])
})

test('a challenge of a node without coin is answered by a redeemer, for a tenth of the bond', async () => {
  await using redeemer = await openRedeemer(world, 'answers for it')
  await using node = await keeperOf(world, 'doubted', {
    wei: 0n,
    redeemers: (key) => redeemersOf(key, [taker(redeemer)], []),
  })
  const { epoch, key } = node
  await node.at(service.endOf(epoch) + 60)
  await workUntil(redeemer, HELD / 2n)
  await service.draw(epoch)
  await service.send(challenger, 'challenge', key.address, epoch)
  // The proof is made at one look, and left at a later one.
  await node.at((await rpc.now()) + 60)
  const fees = await contracts.balance(keyOf('answers for it').address)
  const reward = PROOFS.challengeBond / 10n
  await workUntil(redeemer, fees + reward)
  assert.equal(await node.state(), 'PROVEN')
  assert.equal((await contracts.balance(keyOf('answers for it').address)) - fees, reward)
  const payout = await contracts.balance(keyOf('doubted payout').address)
  assert.equal(payout, PROOFS.challengeBond - reward)
  assert.equal(await feesOf(redeemer), fees + reward)
})

test('where nobody commits for a quarter of it, half is offered; then the operator is told', async () => {
  const fees: bigint[] = []
  const refuse: Ask = async () => REDEEM_ANSWER.FEE_TOO_LOW
  await using node = await keeperOf(world, 'cheap', {
    wei: 0n,
    redeemers: (key) => redeemersOf(key, [refuse], fees),
  })
  const { epoch } = node
  await node.at(service.endOf(epoch) + 60)
  const deadlineS = service.endOf(epoch) + PROOFS.commitWindow
  assert.deepEqual(node.alerts, [{ type: 'commit-no-coin', epoch, deadlineS }])
  assert.deepEqual(fees, [HELD / 2n], 'others are asked again after some minutes only')
  await node.at(service.endOf(epoch) + 60 + 200)
  assert.deepEqual(fees, [HELD / 2n, HELD])
  await using rich = await openRedeemer(world, 'takes half')
  await using other = await keeperOf(world, 'generous', {
    wei: 0n,
    redeemers: (key) => redeemersOf(key, [refuse, taker(rich)], fees),
    wins: 12,
  })
  await other.at(service.endOf(other.epoch) + 60)
  await workUntil(rich, profile.winValue / 10n)
  assert.equal(await other.state(), 'COMMITTED')
  assert.equal(fees.at(-1), profile.winValue / 10n, 'never more than for a win')
})

test('a redeemer takes no step that pays nothing, and none of another’s money', async () => {
  await using redeemer = await openRedeemer(world, 'wary of steps')
  const answers: unknown[] = []
  const noting: Ask = async (nodeId, order, signal) => {
    answers.push(await taker(redeemer)(nodeId, order, signal))
    return undefined
  }
  await using node = await keeperOf(world, 'pays nothing', { wei: 10n ** 20n })
  const { epoch, key } = node
  await node.at(service.endOf(epoch) + 60)
  assert.equal(await node.state(), 'COMMITTED', 'by itself, so that no fee was promised')
  await service.draw(epoch)
  await service.until(service.challengeEnd(epoch))
  const redeemers = redeemersOf(key, [noting], [])
  const deadlineS = (await rpc.now()) + 600
  const settle = { entries: { kind: 6, epoch } } as const
  await redeemers.handOverProof(settle, deadlineS, world.signal)
  const early = { entries: { kind: 6, epoch: epoch + 1 } } as const
  await redeemers.handOverProof(early, deadlineS, world.signal)
  assert.deepEqual(answers, [REDEEM_ANSWER.FEE_TOO_LOW, REDEEM_ANSWER.BAD_ORDER])
})
