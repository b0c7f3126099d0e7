import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { isWin as isCoreWin } from '@byway/protocol/ticket'
import { type Hex, hexToBytes } from 'viem'
import { isWin, uint } from './kit/bytes.ts'
import { startRpc } from './kit/rpc.ts'
import { drawProbeArtifact } from './artifacts/draw-probe.ts'
import { DEPLOYER, TOKEN } from './kit/world.ts'

const rpc = await startRpc()
after(() => rpc[Symbol.asyncDispose]())
const probe = await rpc.deploy(DEPLOYER, drawProbeArtifact, [])
const winValue = TOKEN / 10n
const CASES = 10_000

type Draw = { readonly digest: Hex; readonly reveal: Hex; readonly amount: bigint }

async function onChain(draws: readonly Draw[]): Promise<readonly boolean[]> {
  const answer = await rpc.read({
    abi: drawProbeArtifact.abi,
    to: probe,
    name: 'drawAll',
    args: [draws, winValue],
  })
  return [...Buffer.from(String(answer).slice(2), 'hex')].map((byte) => byte === 1)
}

test('draws are equal on and off the chain, over 10 000 seeded cases (SPEC §13.4)', async () => {
  const word = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map((value) => uint(value, 256))
  const step = fc.constantFrom(0n, 1n, 2n, 3n, 4n, 6n, 8n, 12n, 16n, 1024n, 2048n, 4096n)
  const amount = fc.oneof(
    step.map((parts) => (winValue * parts) / 4096n),
    fc.bigInt({ min: 0n, max: winValue }),
  )
  const draw = fc.record({ digest: word, reveal: word, amount })
  const draws = fc.sample(draw, { seed: 20_261_121, numRuns: CASES })
  const there = await onChain(draws)
  const here = draws.map(({ digest, reveal, amount: of }) => isWin(digest, reveal, of, winValue))
  assert.deepEqual(there, here)
  const inTheCore = draws.map(({ digest, reveal, amount: of }) =>
    isCoreWin(nodeTicketCrypto, winValue, of, hexToBytes(reveal), hexToBytes(digest)),
  )
  assert.deepEqual(there, inTheCore)
  const wins = here.filter(Boolean).length
  assert.ok(wins > CASES / 20 && wins < (CASES * 19) / 20, `${wins} wins: both answers were seen`)
})

test('an amount of V always wins, an amount of nothing never', async () => {
  const draws = Array.from({ length: 500 }, (_, i) => ({
    digest: uint(i, 256),
    reveal: uint(i * 7919, 256),
    amount: i % 2 === 0 ? winValue : 0n,
  }))
  assert.deepEqual(
    await onChain(draws),
    draws.map(({ amount }) => amount > 0n),
  )
})
