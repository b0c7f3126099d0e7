/**
 * CPU time of tickets (SPEC §13.4): all that a hop does for one (commit, digest, signature, draw) beside plain ECDSA verification by the same
 * native library and by @noble/curves, and what signing costs a client. What is timed is compared before. `npm run bench -- tickets`
 * runs it as a section; by itself it prints one run of a few seconds:
 *
 *     node --conditions=byway:source packages/protocol/bench/ticket.bench.ts
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { utf8Bytes } from '@byway/protocol/base'
import { nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import { createPayeeSlot, createPayerSlot, type PayeeSlot } from '@byway/protocol/payment'
import { createPool, type Pool, ticketDigest, unitPrice } from '@byway/protocol/ticket'
import { MAX_COMMITS, type Opening, type TicketMessage, VERDICT } from '@byway/protocol/wire'
import native from 'secp256k1'

/** Operations per second of CPU time, on one core. */
export type TicketFigures = {
  readonly checked: number
  readonly signed: number
  readonly nativeVerified: number
  readonly nobleVerified: number
}

const POOL: Pool = createPool(crypto, {
  chainId: 31_337,
  pool: new Uint8Array(20).fill(0x11),
  faceValue: 100_000n,
  winsPerSlot: 32,
  bond: 50_000n,
  unit: 50_000n,
})
const PRICE_STEP = 1
const PROVIDER = new Uint8Array(20).fill(0x22)
const KEY = crypto.sha256(utf8Bytes('key of the reveals'))
const SECRET = crypto.sha256(utf8Bytes('session'))
const OPENING: Opening = {
  root: new Uint8Array(32),
  nullifier: crypto.sha256(utf8Bytes('nullifier')),
  sessionKey: crypto.addressOfSecret(SECRET),
  receiptKey: new Uint8Array(32),
  proof: new Uint8Array(0),
}
/** @noble/curves is an order slower: fewer of them take as long. */
const NOBLE_SHARE = 16

/** Says why the figures would not be those of the native library, or nothing. */
export function missingNative(): string | undefined {
  try {
    createRequire(import.meta.url)('secp256k1/bindings.js')
    return undefined
  } catch {
    return 'secp256k1 has no native binding here'
  }
}

/** Measures once, with about so many tickets. */
export function measureTickets(count: number): TicketFigures {
  const { tickets, signed } = signTickets(count)
  checkAll(tickets)
  const checked = tickets.length / cpuSeconds(() => checkAll(tickets))
  return { checked, signed, ...measurePlain(tickets) }
}

/** A hop's side of one slot. */
function openPayee(): PayeeSlot {
  const price = unitPrice(POOL, PRICE_STEP)
  const terms = { crypto, pool: POOL, provider: PROVIDER, price }
  return createPayeeSlot(terms, { opening: OPENING, key: KEY, firstIndex: 0, wins: [] })
}

function signTickets(count: number): { tickets: TicketMessage[]; signed: number } {
  const hop = openPayee()
  let nonce = 0
  const randomBytes = (bytes: number): Uint8Array =>
    crypto.sha256(utf8Bytes(`nonce ${nonce++}`)).slice(0, bytes)
  const terms = { crypto, pool: POOL, provider: PROVIDER, priceStep: PRICE_STEP, randomBytes }
  const { nullifier } = OPENING
  const client = createPayerSlot(terms, { nullifier, sessionSecret: SECRET, floor: 0 })
  const tickets: TicketMessage[] = []
  let seconds = 0
  while (tickets.length < count) {
    const commits = hop.nextCommits()
    assert.ok(commits && client.onCommits(commits))
    const from = tickets.length
    seconds += cpuSeconds(() => {
      for (let ticket = client.sign(1); ticket; ticket = client.sign(1)) tickets.push(ticket)
    })
    for (const ticket of tickets.slice(from)) assert.equal(hop.onTicket(ticket).verdict, VERDICT.OK)
  }
  return { tickets, signed: tickets.length / seconds }
}

/** All that a hop does for tickets, their commits included. */
function checkAll(tickets: readonly TicketMessage[]): void {
  const hop = openPayee()
  for (const ticket of tickets) {
    if (hop.unusedCommits < MAX_COMMITS) hop.nextCommits()
    if (hop.onTicket(ticket).verdict !== VERDICT.OK) throw new Error('a good ticket was refused')
  }
}

/** The signatures of the same tickets, verified and nothing else. */
function measurePlain(
  tickets: readonly TicketMessage[],
): Pick<TicketFigures, 'nativeVerified' | 'nobleVerified'> {
  const publicKey = native.publicKeyCreate(SECRET, false)
  const scope = { pool: POOL, provider: PROVIDER, nullifier: OPENING.nullifier }
  const commits = new Map<number, Uint8Array>()
  const hop = openPayee()
  const cases = tickets.map((ticket) => {
    const batch = hop.unusedCommits < MAX_COMMITS ? hop.nextCommits() : undefined
    for (const [i, commit] of batch?.commits.entries() ?? []) {
      commits.set((batch?.firstIndex ?? 0) + i, commit)
    }
    hop.onTicket(ticket)
    const commit = commits.get(ticket.index)
    assert.ok(commit)
    const digest = ticketDigest(crypto, scope, { ...ticket, commit })
    return { digest, signature: ticket.signature.slice(0, 64) }
  })
  const some = cases.slice(0, Math.ceil(cases.length / NOBLE_SHARE))
  const verifyNative = (all: typeof cases): void => {
    for (const { digest, signature } of all) {
      if (!native.ecdsaVerify(signature, digest, publicKey)) throw new Error('not verified')
    }
  }
  const verifyNoble = (): void => {
    for (const { digest, signature } of some) {
      const isGood = noble.verify(signature, digest, publicKey, { prehash: false })
      if (!isGood) throw new Error('not verified by @noble/curves')
    }
  }
  verifyNative(some)
  verifyNoble()
  return {
    nativeVerified: cases.length / cpuSeconds(() => verifyNative(cases)),
    nobleVerified: some.length / cpuSeconds(verifyNoble),
  }
}

/** Time of the processor, not of the clock: others may run beside. */
function cpuSeconds(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

if (import.meta.main) {
  const missing = missingNative()
  if (missing !== undefined) console.log(missing)
  for (const [name, value] of Object.entries(measureTickets(20_000))) {
    console.log(`${name.padEnd(16)} ${Math.round(value)} per second and core`)
  }
  console.log(
    `node ${process.version}, ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}`,
  )
}
