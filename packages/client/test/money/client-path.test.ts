/**
 * A client that pays is killed, or loses its power, at each fsync of its ticket path (SECURITY §4.4, SPEC §15.2). Its hops see all that left it in both lives: no slot
 * under two keys or at two places, no index signed twice, no token spent twice.
 *
 *     child: a life ──messages──▶ here ──▶ the same disk, looked at ──▶ a second life ──messages──▶ here
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fromHex, toHex } from '@byway/protocol/base'
import { decodePayMessage, encodeOpening, PAY } from '@byway/protocol/wire'
import type { ClientPayMessage, Opening, PayMessage } from '@byway/protocol/wire'
import {
  copyWithoutUnsynced,
  liveUntilFsync,
  type KilledLife,
} from '../../../store/test/support/killed.ts'
import { skipWithoutTracer } from '../../../store/test/support/tools.ts'
import { liveOnce, openClientStore } from './client-path.ts'

const CHILD = fileURLToPath(new URL('client-path-child.ts', import.meta.url))
/** They wait for the disk most of the time. */
const KILLED_AT_ONCE = 4
/** The path has more: a path that was cut short would show nothing. */
const LEAST_FSYNCS = 30

const OFFERED_AGAIN = 8

const place = await mkdtemp(join(tmpdir(), 'byway-client-path-'))
after(() => rm(place, { recursive: true, force: true }))

/** What left the client, in order. */
type Sent = readonly PayMessage[]

function sentBy({ lines }: KilledLife): Sent {
  return lines.flatMap((line) => {
    const [what, hex = ''] = line.split(' ')
    const bytes = what === 'sent' ? fromHex(hex) : undefined
    return bytes ? [decodePayMessage(bytes)] : []
  })
}

function openingsIn(sent: Sent): readonly Opening[] {
  return sent.flatMap((message) => (message.kind === PAY.SHOW ? [message.opening] : []))
}

/** By slot and index: a ticket is of the slot that was shown last on its carrier, and carriers here follow each other. */
function ticketsIn(sent: Sent): readonly (readonly [slot: string, index: number])[] {
  let slot = ''
  const tickets: (readonly [string, number])[] = []
  for (const message of sent) {
    if (message.kind === PAY.SHOW) slot = toHex(message.opening.nullifier)
    if (message.kind === PAY.TICKET) tickets.push([slot, message.index])
  }
  return tickets
}

function tokensIn(sent: Sent): readonly string[] {
  return sent.flatMap((message) => (message.kind === PAY.SPEND ? [toHex(message.nonce)] : []))
}

/** Before anything left, the disk had it. */
async function checkDisk(folder: string, sent: Sent): Promise<void> {
  await using store = await openClientStore(folder)
  const { damagedRows, missingRows, isTailLost } = store.report
  assert.deepEqual([damagedRows, missingRows, isTailLost], [0, 0, false])
  const records = new Map((await store.slots.all()).map((one) => [toHex(one.nullifier), one]))
  for (const opening of openingsIn(sent)) {
    const record = records.get(toHex(opening.nullifier))
    assert.ok(record, 'a slot is in the journal before it is shown')
    assert.deepEqual(encodeOpening(record.opening), encodeOpening(opening))
  }
  for (const [slot, index] of ticketsIn(sent))
    assert.ok((records.get(slot)?.floor ?? 0) > index, 'a floor is on the disk before its indices')
  const spent = new Set(tokensIn(sent))
  const nodeId = new Uint8Array(32).fill(2)
  for (const { nonce } of await store.tokens.list(nodeId, 1))
    assert.ok(!spent.has(toHex(nonce)), 'a token is off the disk before it is spent')
}

/** Both lives together, as the hops see them. */
async function checkLives(folder: string, before: Sent): Promise<void> {
  const later: ClientPayMessage[] = []
  const signed = new Map(ticketsIn(before))
  // Some of the commits that it has signed for are offered again.
  const firstIndexOf = (nullifier: Uint8Array): number =>
    Math.max(0, (signed.get(toHex(nullifier)) ?? 0) - OFFERED_AGAIN)
  await liveOnce(folder, (_what, message) => void (message && later.push(message)), firstIndexOf)
  const both = [...before, ...later]
  const names = ticketsIn(both).map(([slot, index]) => `${slot} ${index}`)
  assert.equal(new Set(names).size, names.length, 'no index is signed twice')
  const tokens = tokensIn(both)
  assert.equal(new Set(tokens).size, tokens.length, 'no token is spent twice')
  const keys = new Map<string, string>()
  for (const { nullifier, sessionKey } of openingsIn(both)) {
    const known = keys.get(toHex(nullifier)) ?? toHex(sessionKey)
    assert.equal(toHex(sessionKey), known)
    keys.set(toHex(nullifier), known)
  }
  await using store = await openClientStore(folder)
  const inUse = (await store.slots.all()).filter(({ standing }) => standing === 'shown')
  const places = inUse.map(({ hop, use }) => `${hop} ${use}`)
  assert.equal(new Set(places).size, places.length, 'no hop has two slots for one use')
}

async function killAt(at: number): Promise<KilledLife> {
  const folder = join(place, `${at}`)
  const life = await liveUntilFsync(CHILD, [folder], { at, log: join(place, `strace-${at}`) })
  assert.ok(life.isKilled || life.lines.at(-1)?.startsWith('over'), life.last)
  const sent = sentBy(life)
  await copyWithoutUnsynced(folder, `${folder}-cut`, life)
  for (const each of [folder, `${folder}-cut`]) {
    await checkDisk(each, sent)
    await checkLives(each, sent)
  }
  return life
}

test(
  'a kill or a power cut at any fsync lets nothing leave a client twice, and nothing that the disk does not know',
  { skip: skipWithoutTracer() },
  async (t) => {
    const lives: KilledLife[] = []
    // Each life gets one fsync further than the one before.
    while (lives.every(({ isKilled }) => isKilled)) {
      const next = Array.from({ length: KILLED_AT_ONCE }, (_, more) => lives.length + 1 + more)
      lives.push(...(await Promise.all(next.map(killAt))))
    }
    const killed = lives.filter(({ isKilled }) => isKilled)
    const sent = killed.map((life) => sentBy(life).length)
    t.diagnostic(`killed at ${killed.length} fsyncs, after ${sent.join(', ')} messages`)
    assert.ok(killed.length >= LEAST_FSYNCS)
  },
)
