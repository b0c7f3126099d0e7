/** vectors/tickets.json on the contracts: what an oracle without our code made holds, or does not, on the chain as it does in TypeScript. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import type { Hex } from 'viem'
import { drawProbeArtifact } from './artifacts/draw-probe.ts'
import { DEPLOYER, startWorld } from './kit/world.ts'

type Opening = { why?: string; nullifier: string; x: string; proof: string }
type Ticket = {
  sessionKey: string
  reveal: string
  digest: string
  signature: string
  amount: string
  wins: boolean
}
type Vectors = {
  pool: { faceValue: string; winsPerSlot: number; bond: string; domain: string; tag: string }
  root: string
  openings: { good: Opening[]; bad: Opening[] }
  tickets: Ticket[]
}

const file = new URL('../../vectors/tickets.json', import.meta.url)
const { pool, root, openings, tickets } = JSON.parse(readFileSync(file, 'utf8')) as Vectors
const hex = (digits: string): Hex => `0x${digits}`
const number = (digits: string): bigint => BigInt(hex(digits))
const profile = {
  winValue: BigInt(pool.faceValue),
  winsPerSlot: pool.winsPerSlot,
  bond: BigInt(pool.bond),
  unit: BigInt(pool.bond),
}
const world = await startWorld({ profile })
after(() => world[Symbol.asyncDispose]())

test('the authoriser has the profile’s tag (SPEC §13.2)', async () => {
  assert.equal(await world.rpc.read(world.inAuthoriser('tag')), number(pool.tag))
})

test('openings hold on the chain exactly when they do in TypeScript (SPEC §13.3)', async () => {
  for (const { why, nullifier, x, proof } of [...openings.good, ...openings.bad]) {
    const statement = [number(root), number(nullifier), number(pool.domain), number(x)] as const
    const call = world.inAuthoriser('verify', ...statement, hex(proof))
    assert.equal(await world.rpc.read(call), why === undefined, why ?? 'good')
  }
  assert.ok(openings.good.length >= 4 && openings.bad.length >= 5)
})

test('tickets win on the chain exactly when they do in TypeScript (SPEC §13.4)', async () => {
  const probe = await world.rpc.deploy(DEPLOYER, drawProbeArtifact, [])
  const draws = tickets.map(({ digest, reveal, amount }) => {
    return { digest: hex(digest), reveal: hex(reveal), amount: BigInt(amount) }
  })
  const args = [draws, profile.winValue]
  const answer = await world.rpc.read({
    abi: drawProbeArtifact.abi,
    to: probe,
    name: 'drawAll',
    args,
  })
  const wins = [...Buffer.from(String(answer).slice(2), 'hex')].map((byte) => byte === 1)
  assert.deepEqual(
    wins,
    tickets.map((ticket) => ticket.wins),
  )
})

test('signatures are the session keys’ by the chain’s own recovery (SPEC §13.4)', async () => {
  for (const { digest, signature, sessionKey } of tickets) {
    const [r, s, v] = [signature.slice(0, 64), signature.slice(64, 128), signature.slice(128)]
    const data = hex(`${digest}${v.padStart(64, '0')}${r}${s}`)
    const to = `0x${'1'.padStart(40, '0')}`
    const answer = await world.rpc.request('eth_call', { to, data }, 'latest')
    assert.equal(String(answer), `0x${sessionKey.padStart(64, '0')}`)
  }
})
