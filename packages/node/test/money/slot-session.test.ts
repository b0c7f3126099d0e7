/** What a carrier may do with tickets before it is taken for hostile. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PAY, VERDICT } from '@byway/protocol/wire'
import type { HopPayMessage, Opening, TicketMessage } from '@byway/protocol/wire'
import { createSlotSession } from '../../src/money/slot-session.ts'
import type { SlotSession } from '../../src/money/slot-session.ts'
import type { ShownSlot } from '../../src/money/slot-book.ts'

const TICKETS = 200

/** A session whose slot refuses every ticket alike. */
async function refusing(
  verdict: typeof VERDICT.SLOT_USED | typeof VERDICT.BAD_SIGNATURE,
  hasRoom = true,
) {
  const sent: HopPayMessage[] = []
  const seen = { faults: 0, booked: 0, judged: 0 }
  const opening = { nullifier: new Uint8Array(32) } as Opening
  const slot = {
    opening,
    commits: () => Promise.resolve(undefined),
    onTicket: () => {
      seen.judged++
      return { verdict }
    },
    release() {},
  } as Partial<ShownSlot> as ShownSlot
  const session: SlotSession = createSlotSession(
    {
      slots: { show: () => Promise.resolve(slot) },
      books: { ticket() {}, refusedTicket: () => void seen.booked++, voidTickets() {} } as never,
      provider: new Uint8Array(20),
      priceStep: 1,
      bulk: { paid() {}, wanted() {}, follow() {}, soon() {} },
    },
    {
      use: 'link',
      send: (pay) => void sent.push(pay),
      hasRoom: () => hasRoom,
      credit() {},
      onFault: () => void seen.faults++,
    },
  )
  await session.onShow(opening)
  for (let index = 0; index < TICKETS; index++) session.onTicket({ index } as TicketMessage)
  return { seen, refusals: sent.filter(({ kind }) => kind === PAY.REFUSED).length }
}

describe('tickets on a carrier', () => {
  it('are not held against a client whose slot moved to a newer carrier', async () => {
    const { seen, refusals } = await refusing(VERDICT.SLOT_USED)
    assert.deepEqual([seen.faults, refusals], [0, TICKETS])
  })

  it('end it when many are bad', async () => {
    const { seen } = await refusing(VERDICT.BAD_SIGNATURE)
    assert.ok(seen.faults > 0)
  })

  it('are refused before they are judged where there is no room for their slot: none of them can win', async () => {
    const { seen, refusals } = await refusing(VERDICT.SLOT_USED, false)
    assert.equal(seen.judged, 0)
    assert.ok(refusals > 0)
  })
})
