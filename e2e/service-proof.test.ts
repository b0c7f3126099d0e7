/**
 * Service proofs from the first byte to the last word (SPEC §17): what real processes carry and are paid for is signed by the client, committed to on a real chain, drawn for, proved and
 * shown by the nodes alone; a stranger verifies it by a node's name; a challenge is answered by the node, or by anybody while it is away. One of the two is an exit without a coin for gas, whose steps
 * redeemers send (ADR-0042). What a silent node loses is `packages/cli/test/commands/proof-challenge.test.ts`'s. Some minutes of all cores, and `npm run zk -- service-audit` before: with SLOW=1.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  createProofsView,
  createTokenCalls,
  openChain,
  type Chain,
  type ProofsView,
} from '../packages/chain/src/index.ts'
import { writeLocalNetwork } from '../packages/cli/src/engine/local-network.ts'
import { askControl } from '../packages/cli/src/control/control-socket.ts'
import { PROGRAM } from '../packages/cli/test/running-byway.ts'
import { createLocalPurse, readPurseFile } from '../packages/purse/src/index.ts'
import { fillFromFaucet } from '../packages/cli/src/wallet/faucet.ts'
import {
  startProcesses,
  type NodeProcess,
  type ProcessNetwork,
} from '../packages/testnet/src/index.ts'
import { startBigOrigin, type BigOrigin } from './lib/big-origin.ts'
import { download } from './lib/download.ts'

const run = promisify(execFile)
const [EXECUTABLE, ...BEFORE] = PROGRAM
const MEGABYTES = 40
const EPOCH_S = 300
/** Until an exit has won, and the win is paid through redeemers. */
const LEAST_LEFT_S = 200
/** The dearest: a win every 256 units. */
const PRICE_STEP = 8
/** All exits. */
const WITHOUT_GAS = 3
/** Enough for a few challenges in a local network. */
const BONDS = 10n ** 19n
/** Only stops a hang: two proofs side by side take two minutes of a machine that does nothing else. */
const WAIT_MS = 1_200_000
const LOOK_MS = 1000

const skip =
  process.env['SLOW'] !== '1' && 'some minutes of all cores, and the audit’s program: with SLOW=1'

type Prover = { readonly node: NodeProcess; readonly provider: Uint8Array }

suite('service proofs of a network that carries and is paid', { skip }, () => {
  const stop = new AbortController()
  const parts = new AsyncDisposableStack()
  let origin: BigOrigin
  let network: ProcessNetwork
  before(async () => {
    origin = parts.use(await startBigOrigin(MEGABYTES * 1_000_000))
    const starting = startProcesses(
      {
        program: PROGRAM,
        env: process.env,
        writeNetwork: writeLocalNetwork,
        askStatus: (home, program) => askControl(home, program, 'status'),
      },
      {
        hops: 3,
        epochS: EPOCH_S,
        priceStep: PRICE_STEP,
        nodesWithoutGas: WITHOUT_GAS,
        exitTargets: [{ address: '127.0.0.1', port: origin.port }],
        signal: stop.signal,
      },
    )
    network = parts.use(await starting)
  })
  after(async () => {
    stop.abort()
    await parts.disposeAsync()
  })

  test('are committed to, drawn for, made, shown, verified, and answered for', async (t) => {
    const payment = network.payment ?? assert.fail()
    const chain = openChain({ payment, isLocal: true, onAlert: () => {} })
    const proofs = createProofsView(chain.reader, payment.proofs?.contract ?? assert.fail())
    const epoch = await freshEpoch()
    const { relay, exit } = await paidProvers(network, origin, { epoch, chain })
    t.diagnostic(`a relay and an exit without coin hold receipts of epoch ${epoch}`)

    for (const { provider } of [relay, exit])
      await untilState(proofs, { provider, epoch }, ['committed'])
    const times = await proofs.times(t.signal)
    const drawS = (epoch + 1) * EPOCH_S + times.commitWindowS + times.beaconDelayS
    const { timeS } = await chain.reader.freshHead(t.signal)
    if (drawS > timeS)
      await chain.reader.quorum.askAll('evm_increaseTime', [drawS - timeS], t.signal)
    await until(async () => (await proofs.beacon(epoch, t.signal)) !== undefined)
    const startedMs = performance.now()
    for (const { node } of [relay, exit])
      await until(() => isThere(join(node.home, 'proofs', `${epoch}.proof`)))
    const tookS = (performance.now() - startedMs) / 1000
    t.diagnostic(`two proofs, made side by side while the network ran: ${tookS.toFixed(0)} s`)

    for (const { node, provider } of [relay, exit]) {
      const told = await byway(network, ['proof', 'verify', node.id, '--epoch', `${epoch}`])
      assert.deepEqual([told['holds'], told['notChecked']], [true, []], JSON.stringify(told))
      assert.equal(told['provider'], `0x${Buffer.from(provider).toString('hex')}`)
      t.diagnostic(`a stranger: ${String(told['total'])} units, ${JSON.stringify(told['onChain'])}`)
    }

    const challenger = await challengerOf(t, network, chain)
    const challenge = ['proof', 'challenge', '--yes', '--home', challenger]
    const held = await byway(network, [...challenge, exit.node.id])
    assert.equal((held['error'] as { code?: string } | undefined)?.code, 'PROOF_HOLDS')
    const doubted = await byway(network, [...challenge, '--anyway', exit.node.id])
    assert.equal(doubted['done'], 'challenged', JSON.stringify(doubted))
    await untilState(proofs, { provider: exit.provider, epoch }, ['settled'])
    assert.equal(await chain.view.gasBalance(exit.provider, t.signal), 0n, 'it has no gas')
    t.diagnostic('redeemers committed, answered and settled for the challenged exit')

    process.kill(relay.node.pid, 'SIGKILL')
    const ofSleeper = await byway(network, [
      'proof',
      'verify',
      relay.node.id,
      '--epoch',
      `${epoch}`,
    ])
    assert.equal(ofSleeper['holds'], true, JSON.stringify(ofSleeper))
    const again = await byway(network, [...challenge, '--anyway', relay.node.id])
    assert.equal(again['done'], 'challenged', JSON.stringify(again))
    const helped = await byway(network, ['proof', 'answer', '--home', challenger, relay.node.id])
    assert.equal(helped['done'], 'answered', JSON.stringify(helped))
    await untilState(proofs, { provider: relay.provider, epoch }, ['proven'])
  })
})

/** An epoch that has just begun, or has time left. */
async function freshEpoch(): Promise<number> {
  const leftS = EPOCH_S - ((Date.now() / 1000) % EPOCH_S)
  if (leftS < LEAST_LEFT_S) await delay((leftS + 1) * 1000)
  return Math.floor(Date.now() / 1000 / EPOCH_S)
}

/** Downloads until a relay with coin for gas holds receipts of the epoch, and an exit without any: one that has won too, for its steps are paid out of what was held back. */
async function paidProvers(
  network: ProcessNetwork,
  origin: BigOrigin,
  { epoch, chain }: { readonly epoch: number; readonly chain: Chain },
): Promise<{ readonly relay: Prover; readonly exit: Prover }> {
  const signal = AbortSignal.timeout(WAIT_MS)
  for (;;) {
    const got = await download({
      proxyPort: Number(/:(\d+)$/.exec(network.proxy)?.[1]),
      originPort: origin.port,
      username: 'proofs',
      path: '/body',
    })
    assert.deepEqual([got.ending, got.sha256], ['end', origin.sha256])
    const found: Prover[] = []
    // Not the first contact: a stranger needs one, and a node is killed here.
    for (const node of network.nodes.slice(1)) {
      const { receipts } = await askControl(node.home, 'node', `receipts ${epoch} 0`)
      if (!Array.isArray(receipts) || receipts.length === 0) continue
      const { provider } = await readPurseFile(node.home)
      const isExit = node.roles.includes('exit')
      const { open } = await chain.view.held(provider, signal)
      if (isExit ? !node.plan.hasGas && open > 0n : node.plan.hasGas) found.push({ node, provider })
    }
    const exit = found.find(({ node }) => node.roles.includes('exit'))
    const relay = found.find(({ node }) => !node.roles.includes('exit'))
    if (relay && exit) return { relay, exit }
    assert.equal(Math.floor(Date.now() / 1000 / EPOCH_S), epoch, 'the epoch is over')
  }
}

/** A state folder whose purse can pay some bonds. */
async function challengerOf(
  t: TestContext,
  network: ProcessNetwork,
  chain: Chain,
): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'byway-challenger-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const { funds } = await createLocalPurse(home)
  const payment = network.payment ?? assert.fail()
  const deps = { chain, payment, tokenCalls: createTokenCalls(payment.token) }
  await fillFromFaucet(deps, funds, BONDS, t.signal)
  return home
}

/** Runs a command as a stranger to the network would, and gives its answer. */
async function byway(
  network: ProcessNetwork,
  args: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('BYWAY_'))
  const all = [...BEFORE, ...args, '--network', network.networkFile, '--json']
  const options = { env: Object.fromEntries(kept) }
  const { stdout } = await run(EXECUTABLE, all, options).catch(
    (error: unknown) => error as { stdout: string },
  )
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>
}

async function untilState(
  proofs: ProofsView,
  { provider, epoch }: { readonly provider: Uint8Array; readonly epoch: number },
  states: readonly string[],
): Promise<void> {
  const signal = AbortSignal.timeout(WAIT_MS)
  await until(async () => states.includes((await proofs.commitment(provider, epoch, signal)).state))
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(WAIT_MS)
  while (!(await isSo())) await delay(LOOK_MS, undefined, { signal })
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}
