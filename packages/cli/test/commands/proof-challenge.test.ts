/** `byway proof challenge` on a real chain whose clock the test moves: what a silent node loses (SPEC §17.5). How a node answers is `packages/node/test/redemption/epoch-keeper.test.ts`'s. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createProofCalls, createProofsView, DEFAULT_PARAMETERS } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import type { ContractCall } from '@byway/protocol/payment'
import { createLocalPurse, openPurse } from '@byway/purse'
import { openSender, openPaidNetwork } from '../../src/wallet/open-wallet.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { paidNetwork, type PaidTestNetwork } from './paid-network.ts'
import { asScript } from './wallet-person.ts'

type Row = Readonly<Record<string, unknown>>

const { epochS, commitWindowS, beaconDelayS, beaconSpacingS, beaconRounds } = DEFAULT_PARAMETERS
const { challengeWindowS, answerWindowS, challengeBond, minStake } = DEFAULT_PARAMETERS
const DRAWN_S = commitWindowS + beaconDelayS + beaconSpacingS * beaconRounds

/** Moves the chain's clock to a time, on a block of its own. */
async function until(network: PaidTestNetwork, timeS: number, signal: AbortSignal): Promise<void> {
  const head = await network.chain.reader.freshHead(signal)
  await network.advance(timeS - head.timeS)
}

/** A provider with a stake, and how it sends. */
async function providerIn(t: TestContext, network: PaidTestNetwork) {
  const home = await temporaryHome(t)
  const { payment, registry, token, deployer } = network
  const { provider } = await createLocalPurse(home)
  await network.giveCoin(provider)
  const purse = await openPurse(home, { isLocal: true, rules: payment })
  t.after(() => purse[Symbol.asyncDispose]())
  const nodeId = new Uint8Array(32).fill(provider[0] ?? 0)
  const payout = purse.accounts.owner ?? purse.accounts.funds
  const signature = await purse.signRegistration({ owner: deployer, nodeId, payout })
  await network.run(token.mint(deployer, minStake))
  await network.run(token.approve(payment.registry, minStake))
  await network.run(registry.register({ provider, nodeId, payout, stake: minStake, signature }))
  const io = {
    env: { BYWAY_HOME: home },
    isInteractive: false,
    signal: t.signal,
    nowMs: Date.now,
    writeOut() {},
    writeErr() {},
    ask: () => Promise.reject(new Error('nobody is there')),
    askHidden: () => Promise.reject(new Error('nobody is there')),
  }
  const paid = await openPaidNetwork({ home, network: network.file }, io)
  const wallet = { ...paid, purse, passphrase: undefined, [Symbol.asyncDispose]: async () => {} }
  const send = async (call: ContractCall): Promise<void> => {
    await using sender = await openSender(wallet, 'provider', t.signal)
    await sender.send('test', call)
  }
  return { provider, name: `0x${toHex(provider)}`, send }
}

/** Somebody with a purse and money, who runs commands. */
async function challengerIn(t: TestContext, network: PaidTestNetwork) {
  const home = await temporaryHome(t)
  const { funds } = await createLocalPurse(home)
  await network.giveCoin(funds)
  const env = { BYWAY_HOME: home }
  const run = async (...args: readonly string[]): Promise<Row> => {
    const all = ['proof', ...args, '--json', '--network', network.file]
    const { code, out, err } = await asScript(all, env)
    const answer = JSON.parse(out.trim().split('\n').at(-1) ?? err) as Row
    return { ...answer, code, fault: (answer['error'] as Row | undefined)?.['code'] }
  }
  return { funds, run }
}

test('whoever challenges a silent node has its bond back and a tenth of the stake; a commitment that nobody challenges in time stands', async (t) => {
  const network = await paidNetwork(t)
  const { payment, chain, token } = network
  const contract = payment.proofs?.contract ?? assert.fail()
  const calls = createProofCalls(contract)
  const proofs = createProofsView(chain.reader, contract)
  const [silent, other] = [await providerIn(t, network), await providerIn(t, network)]
  const { funds, run } = await challengerIn(t, network)
  const fault = async (...args: readonly string[]) => (await run('challenge', ...args))['fault']

  const { timeS } = await chain.reader.freshHead(t.signal)
  const epoch = Math.floor(timeS / epochS)
  const endS = (epoch + 1) * epochS
  assert.equal(await fault(silent.name, '--yes'), 'PROOF_NO_COMMITMENT')
  await until(network, endS, t.signal)
  const commitment = { root: new Uint8Array(32).fill(1), total: 628, maxUnits: 512 }
  for (const { provider, send } of [silent, other])
    await send(calls.commit(provider, epoch, commitment))
  assert.equal(await fault(silent.name, '--yes'), 'PROOF_NO_BEACON')
  await until(network, endS + commitWindowS + beaconDelayS, t.signal)
  const startS = endS + commitWindowS + beaconDelayS
  const headers = (await proofs.roundHeaders(startS, t.signal)) ?? assert.fail()
  await network.run(calls.draw(epoch, headers))

  assert.equal(await fault(silent.name, '--yes'), 'WALLET_NO_FUNDS')
  await network.run(token.mint(funds, challengeBond))
  assert.equal(await fault(silent.name), 'WALLET_NOT_CONFIRMED')
  assert.equal(await fault(silent.name, '--epoch', `${epoch - 1}`, '--yes'), 'PROOF_NO_COMMITMENT')
  assert.equal((await proofs.commitment(silent.provider, epoch, t.signal)).state, 'committed')
  const begun = await run('challenge', silent.name, '--yes')
  assert.deepEqual(
    [begun['code'], begun['done'], begun['epoch'], begun['bond']],
    [0, 'challenged', epoch, String(challengeBond)],
  )
  assert.equal((await proofs.commitment(silent.provider, epoch, t.signal)).state, 'challenged')
  assert.equal(await chain.view.tokenBalance(funds, t.signal), 0n)
  assert.equal(await fault(silent.name, '--yes'), 'PROOF_CHALLENGED')

  await network.advance(answerWindowS)
  const slashed = await run('challenge', silent.name)
  assert.deepEqual(
    [slashed['code'], slashed['done'], slashed['epoch'], slashed['bond']],
    [0, 'slashed', epoch, null],
  )
  assert.equal(await chain.view.tokenBalance(funds, t.signal), challengeBond + minStake / 10n)
  const registration = await chain.view.registration(silent.provider, t.signal)
  assert.deepEqual([registration?.stake, registration?.isActive], [0n, false])
  assert.equal(await fault(silent.name, '--yes'), 'PROOF_DECIDED')

  await until(network, endS + DRAWN_S + challengeWindowS, t.signal)
  assert.equal(await fault(other.name, '--yes'), 'PROOF_TOO_LATE')
})

test('a challenge and an answer are told apart from what they are not', async (t) => {
  const network = await paidNetwork(t)
  const { run } = await challengerIn(t, network)
  assert.equal((await run('challenge', 'somebody', '--yes'))['code'], 64)
  assert.equal((await run('challenge', 'ab'.repeat(32), '--yes'))['fault'], 'ENTRY_UNREACHABLE')
  assert.equal((await run('answer', 'no-such-file'))['code'], 74)
  assert.equal((await run('answer', 'no-such-file', '--epoch', '5'))['code'], 64)
})
