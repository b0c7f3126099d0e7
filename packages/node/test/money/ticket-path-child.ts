/**
 * A node that is paid, to be killed: a slot is shown, paid with, and full; tokens are bought and spent; the wins are kept and their slot is locked. Prints what leaves
 * the node at the moment in which it may leave, and what the client has sent before the node has it.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { tokenKeyId, tokenMessage, unitsOfToken } from '@byway/protocol/payment'
import { encodePayMessage, PAY, TOKEN_KIND, VERDICT } from '@byway/protocol/wire'
import type { BuyMessage, CommitsMessage, PayMessage, SpendMessage } from '@byway/protocol/wire'
import { bytesToHex } from 'viem'
import type { ShownSlot } from '../../src/money/slot-book.ts'
import { openTicketPath, slotOf, type PathSettings, type TicketPath } from './ticket-path.ts'
import { commitFor, ticketOf } from './paying-client.ts'

const settings = JSON.parse(process.argv[2] ?? '', (_name, value: unknown) =>
  typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
) as PathSettings
const signal = AbortSignal.timeout(60_000)
const slot = slotOf(settings)
const { nullifier } = slot.opening

/** At once: what a kill takes away was never said. */
function say(what: string, message?: PayMessage, units = 0): void {
  const hex = message ? bytesToHex(encodePayMessage(message)) : '0x'
  writeSync(1, `${what} ${hex} ${units}\n`)
}

/** Pays on one carrier over the commits that come. */
function createPayer(path: TicketPath, shown: ShownSlot) {
  const { pool, price, address, issuer, books } = path
  const all: CommitsMessage[] = []
  let index = 0
  let wins = 0
  const takeCommits = async (): Promise<void> => {
    const commits = await shown.commits()
    if (!commits) return
    say('commits', commits)
    if (all.length === 0) index = commits.firstIndex
    all.push(commits)
  }
  const pay = async (amount: bigint): Promise<void> => {
    const commit = commitFor(all, index)
    const ticket = ticketOf(slot, { index: index++, commit, amount, provider: address, pool })
    const units = Number(amount / price)
    say('ticket', ticket, units)
    const result = shown.onTicket(ticket)
    assert.ok(result.verdict === VERDICT.OK)
    assert.ok(issuer.credit(nullifier, units, Date.now()))
    books.ticket({ use: 'tokens', units, amount })
    if (!result.reveal) return
    wins++
    assert.equal(await shown.kept(), true)
    say('kept', ticket)
  }
  /** A ticket that wins, while the slot pays: small ones may have won by luck. */
  const win = async (): Promise<void> => {
    if (wins < pool.winsPerSlot) await pay(pool.faceValue)
  }
  return { takeCommits, pay, win }
}

/** Buys so many tokens and gives them as they are spent. */
async function buy(path: TicketPath, shown: ShownSlot, count: number): Promise<SpendMessage[]> {
  const tokenKind = TOKEN_KIND.BANDWIDTH
  const key = path.keyring.keysMessage().keys.find((each) => each.tokenKind === tokenKind)
  const publicKey = key && nodeBlindTokens.publicKey(key.publicKey)
  assert.ok(key && publicKey)
  const keyId = tokenKeyId(nodeCrypto, tokenKind, key.publicKey)
  const nonces = Array.from({ length: count }, () => new Uint8Array(randomBytes(32)))
  const messages = nonces.map((nonce) => tokenMessage(tokenKind, keyId, nonce))
  const blinded = nodeBlindTokens.blind(publicKey, messages, randomBytes)
  assert.ok(blinded)
  const { elements, secret } = blinded
  const order: BuyMessage = { kind: PAY.BUY, request: 1, tokenKind, keyId, elements }
  const units = count * unitsOfToken(tokenKind)
  say('buy', order, units)
  const sale = await path.issuer.buy(order, nullifier, await shown.standing(), Date.now())
  assert.equal(sale.sold, count)
  path.books.tokensSold('bandwidth', count, units)
  say('sold', sale.message, units)
  const tokens = nodeBlindTokens.finalise(secret, sale.message.signatures) ?? []
  return nonces.flatMap((nonce, at) => {
    const token = tokens[at]
    return token ? [{ kind: PAY.SPEND, tokenKind, keyId, nonce, token }] : []
  })
}

async function spend({ redeemer, books }: TicketPath, token: SpendMessage): Promise<void> {
  say('spend', token)
  const redemption = redeemer.spend(token, Date.now())
  assert.ok(redemption.verdict === VERDICT.OK)
  assert.equal(await redemption.kept, 'fresh')
  books.tokenTaken('bandwidth', 'relay')
  say('spent', token)
}

/** What is won is locked: a transaction on the disk, then at the chain. */
async function lock({ provider }: TicketPath): Promise<void> {
  await provider.lane.look(signal)
  await provider.redemption.look(signal)
  say('locked')
}

{
  await using path = await openTicketPath(settings)
  say('keys', path.keyring.keysMessage())
  const shown = await path.book.show(slot.opening)
  assert.ok(typeof shown === 'object' && !('kind' in shown))
  const payer = createPayer(path, shown)
  await payer.takeCommits()
  for (let paid = 0; paid < 3; paid++) {
    await payer.pay(8n * path.price)
    await payer.takeCommits()
  }
  const tokens = await buy(path, shown, 4)
  await Promise.all(tokens.slice(1).map((token) => spend(path, token)))
  await payer.win()
  await lock(path)
  await Promise.all([payer.takeCommits(), buy(path, shown, 2)])
  await payer.win()
  await path.books.flush()
}
say('closed')
