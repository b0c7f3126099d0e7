/**
 * A node that is paid is killed, or loses its power, at each fsync of its ticket path (SECURITY §4.4): opening the store, keys, a slot that is shown, commits, tickets, tokens sold and
 * spent, wins kept, a lock. What it said stands, and what it was paid once counts once:
 *
 *     child: node and its client ──lines──▶ here: what left the node    ──▶ the node again, on the same disk
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { toHex } from '@byway/protocol/base'
import { decodePayMessage, encodeOpening, PAY, VERDICT } from '@byway/protocol/wire'
import type { BuyMessage, PayKind, PayMessage, TicketMessage } from '@byway/protocol/wire'
import { bytesToHex, hexToBytes, toHex as hexOf, type Hex } from 'viem'
import {
  copyWithoutUnsynced,
  liveUntilFsync,
  type KilledLife,
} from '../../../store/test/support/killed.ts'
import { skipWithoutTracer } from '../../../store/test/support/tools.ts'
import {
  openingOf,
  settingsOf,
  startRedeemingWorld,
  statesOf,
} from '../redemption/redeeming-world.ts'
import { openingIn, openTicketPath, type PathSettings, type TicketPath } from './ticket-path.ts'

const CHILD = fileURLToPath(new URL('ticket-path-child.ts', import.meta.url))
/** They wait for the disk most of the time. */
const KILLED_AT_ONCE = 2
/** The path has more: a path that was cut short would show nothing. */
const LEAST_FSYNCS = 40

const world = await startRedeemingWorld()
after(() => world[Symbol.asyncDispose]())
const NET = (world.scene.world.profile.winValue * 90n) / 100n

type Line = {
  readonly what: string
  readonly message: PayMessage | undefined
  readonly units: number
}
type Life = {
  readonly lines: readonly Line[]
  readonly isKilled: boolean
  readonly last: string
  readonly killed: KilledLife
}

/** A provider and a slot of its own for one life. */
async function prepare(at: number): Promise<PathSettings> {
  const name = `path ${at}`
  const { address } = await world.scene.provider(name)
  await world.scene.world.rpc.request('anvil_setBalance', address, hexOf(10n ** 21n))
  const [slot] = await world.scene.slots(`payer ${at}`, 1)
  assert.ok(slot)
  return {
    redeemer: settingsOf(world, name),
    opening: bytesToHex(encodeOpening(openingOf(slot))),
    session: `${slot.leaf.owner.address} ${slot.j}`,
  }
}

/** Runs the node to its end, or to the nth fsync. */
async function live(settings: PathSettings, at: number): Promise<Life> {
  const text = JSON.stringify(settings, (_name, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
  const log = join(world.folder, `strace-${at}`)
  const killed = await liveUntilFsync(CHILD, [text], { at, log })
  return { ...killed, lines: killed.lines.map(lineOf), killed }
}

function lineOf(text: string): Line {
  const [what = '', hex = '0x', units = '0'] = text.split(' ')
  const message = hex === '0x' ? undefined : decodePayMessage(hexToBytes(hex as Hex))
  return { what, message, units: Number(units) }
}

/** Messages of one kind that were told under one word. */
function told<K extends PayKind>({ lines }: Life, what: string, kind: K) {
  type One = Extract<PayMessage, { readonly kind: K }>
  const isOne = (message: PayMessage | undefined): message is One => message?.kind === kind
  return lines.flatMap((line) => (line.what === what && isOne(line.message) ? [line.message] : []))
}

function unitsOf({ lines }: Life, what: string): number {
  return lines.reduce((sum, line) => sum + (line.what === what ? line.units : 0), 0)
}

/** What was won is on the disk, and nothing that was not sent. */
async function checkWins(path: TicketPath, life: Life, nullifier: Uint8Array): Promise<number> {
  const wins = await path.provider.store.winners.ofSlot(nullifier)
  const isIn = (all: readonly { index: number }[], index: number): boolean =>
    all.some((one) => one.index === index)
  for (const { index } of told(life, 'kept', PAY.TICKET)) assert.ok(isIn(wins, index), `${index}`)
  const sent = told(life, 'ticket', PAY.TICKET)
  for (const { index } of wins) assert.ok(isIn(sent, index))
  return wins.length
}

/** No index goes out twice, and none that was used is taken again. */
async function checkIndices(path: TicketPath, life: Life, settings: PathSettings): Promise<void> {
  const shown = await path.book.show(openingIn(settings))
  if (typeof shown === 'number') assert.fail(`the slot does not go on: verdict ${shown}`)
  if ('kind' in shown) return
  const out = told(life, 'commits', PAY.COMMITS)
  const below = Math.max(0, ...out.map(({ firstIndex, commits }) => firstIndex + commits.length))
  const fresh = await shown.commits()
  assert.ok(fresh && fresh.firstIndex >= below, `${fresh?.firstIndex} after ${below}`)
  const again = (ticket: TicketMessage): number => shown.onTicket(ticket).verdict
  for (const ticket of told(life, 'ticket', PAY.TICKET))
    assert.equal(again(ticket), VERDICT.BAD_INDEX)
  shown.release()
}

/** What was spent stays spent; what was on its way is taken once more at most. */
async function checkTokens({ redeemer, keyring }: TicketPath, life: Life): Promise<void> {
  for (const said of told(life, 'keys', PAY.KEYS)) assert.deepEqual(keyring.keysMessage(), said)
  const spent = told(life, 'spent', PAY.SPEND).map(({ nonce }) => toHex(nonce))
  for (const token of told(life, 'spend', PAY.SPEND)) {
    const first = redeemer.spend(token, Date.now())
    assert.ok(first.verdict === VERDICT.OK)
    const kept = await first.kept
    if (spent.includes(toHex(token.nonce))) assert.equal(kept, 'spent')
    assert.equal(redeemer.spend(token, Date.now()).verdict, VERDICT.SPENT)
  }
}

/** What is left with what was bought is no more than what was paid, also when a purchase whose answer was lost is asked for again. */
async function checkBalance(path: TicketPath, life: Life, nullifier: Uint8Array): Promise<void> {
  const paid = unitsOf(life, 'ticket')
  const asked = told(life, 'buy', PAY.BUY)
  const answered = told(life, 'sold', PAY.SOLD).length
  const lost: BuyMessage | undefined = asked[answered]
  let bought = unitsOf(life, 'sold')
  assert.ok(path.issuer.balance(nullifier) + bought <= paid)
  if (lost) {
    const { message } = await path.issuer.buy(lost, nullifier, 'mine', Date.now())
    if (message.verdict === VERDICT.OK) bought = unitsOf(life, 'buy')
  }
  assert.ok(path.issuer.balance(nullifier) + bought <= paid)
  if (!life.isKilled) assert.equal(path.issuer.balance(nullifier) + bought, paid)
}

/** Every win that is on the disk is paid once. */
async function checkPaid({ provider, address }: TicketPath, wins: number): Promise<void> {
  await provider.until(
    async () => (statesOf(await provider.winners())['done'] ?? 0) === wins,
    () => world.mine(1),
  )
  assert.equal(await world.scene.credit(bytesToHex(address)), BigInt(wins) * NET)
}

async function killAt(at: number, settings: PathSettings): Promise<Life> {
  const life = await live(settings, at)
  const isOver = life.lines.at(-1)?.what === 'closed'
  assert.ok(isOver || life.isKilled, life.last)
  const { folder } = settings.redeemer
  await copyWithoutUnsynced(folder, `${folder}-cut`, life.killed)
  const cut = { ...settings, redeemer: { ...settings.redeemer, folder: `${folder}-cut` } }
  await checkLife(cut, life, () => Promise.resolve())
  await checkLife(settings, life, checkPaid)
  return life
}

/** Starts the node again, and looks at all that it has. */
async function checkLife(
  settings: PathSettings,
  life: Life,
  last: (path: TicketPath, wins: number) => Promise<void>,
): Promise<void> {
  const { nullifier } = openingIn(settings)
  await using path = await openTicketPath(settings)
  const { damagedRows, missingRows, isTailLost } = path.provider.store.report
  assert.deepEqual([damagedRows, missingRows, isTailLost], [0, 0, false])
  const wins = await checkWins(path, life, nullifier)
  await checkIndices(path, life, settings)
  await checkTokens(path, life)
  await checkBalance(path, life, nullifier)
  await last(path, wins)
}

test(
  'a kill or a power cut at any fsync takes back nothing that the node has said, and counts nothing twice',
  { skip: skipWithoutTracer() },
  async (t) => {
    const lives: Life[] = []
    // Each life gets one fsync further than the one before.
    while (lives.every(({ isKilled }) => isKilled)) {
      const next: (readonly [number, PathSettings])[] = []
      // One after the other: a root is published in its time.
      for (let at = lives.length + 1; next.length < KILLED_AT_ONCE; at++)
        next.push([at, await prepare(at)])
      lives.push(...(await Promise.all(next.map((one) => killAt(...one)))))
    }
    const killed = lives.filter(({ isKilled }) => isKilled)
    const ends = Map.groupBy(killed, ({ lines }) => lines.at(-1)?.what ?? 'nothing')
    const words = [...ends].map(([what, some]) => `${some.length} after ${what}`)
    t.diagnostic(`killed at ${killed.length} fsyncs: ${words.join(', ')}`)
    assert.ok(killed.length >= LEAST_FSYNCS)
  },
)
