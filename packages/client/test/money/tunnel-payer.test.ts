/** Paying the hops after the entry: what each gets for what was carried, what goes on with the tunnel, and what a hop that lies or stops can run away with. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PathNode } from '@byway/protocol/directory'
import { classWeight } from '@byway/protocol/payment'
import type { ClassWeight } from '@byway/protocol/payment'
import { PAY, TOKEN_KIND, VERDICT } from '@byway/protocol/wire'
import type { ClientPayMessage, SpendMessage, TokenKind } from '@byway/protocol/wire'
import { createHopRecords } from '../../src/money/hop-records.ts'
import { createTunnelPayer } from '../../src/money/tunnel-payer.ts'
import type { TunnelPayer } from '../../src/money/tunnel-payer.ts'
import { createHandTimers, settle } from '../engine/hand-timers.ts'
import { pathNodes } from '../engine/tunnel-world.ts'

const MIB = 1024 * 1024
const TOKEN_BYTES = 4 * MIB
const CELL = 16_384
const NODES = pathNodes(5)

type Sent = { readonly message: ClientPayMessage; readonly place: number | undefined }

function token(kind: TokenKind): SpendMessage {
  const nonce = crypto.getRandomValues(new Uint8Array(32))
  return { kind: PAY.SPEND, tokenKind: kind, keyId: new Uint8Array(8), nonce, token: nonce }
}

type Options = {
  stock?: number
  freeNodes?: readonly PathNode[]
  /** Of the tunnel's class at the exit. */
  weight?: ClassWeight
}

function world(options: Options = {}) {
  const timers = createHandTimers(0)
  const sent: Sent[] = []
  const faults: string[] = []
  const lost: number[] = []
  const shop = {
    stock: options.stock ?? 1000,
    bulk: 0,
    changed: Promise.withResolvers<void>(),
    spend(_node: PathNode, mostBytes: number) {
      if (mostBytes >= 32 * MIB && this.bulk-- > 0) return token(TOKEN_KIND.BULK)
      return this.stock-- > 0 ? token(TOKEN_KIND.BANDWIDTH) : undefined
    },
  }
  const payer = createTunnelPayer(
    {
      shop: {
        spend: (node, mostBytes) => shop.spend(node, mostBytes),
        restocked: () => shop.changed.promise,
      },
      spending: {
        onTokens() {},
        onPaidLost: (_hop, _from, bytes) => void lost.push(bytes),
        follow: (_hop, _use, counts) => ({
          close: () => void lost.push(counts.paidBytes - counts.countedBytes),
        }),
      },
      records: createHopRecords(),
      onFault: (hop) => void faults.push(hop),
      isPaid: (node) => options.freeNodes?.includes(node) !== true,
      nowMs: timers.nowMs,
    },
    token(TOKEN_KIND.ADMISSION),
    options.weight,
  )
  const ride = (...path: readonly (PathNode | undefined)[]): void =>
    payer.onLeg({
      path: path.flatMap((node) => node ?? []),
      rttMs: () => 20,
      send: (message, place) => sent.push({ message, place }) > 0,
    })
  return { timers, sent, faults, lost, shop, payer, ride }
}

function carry(payer: TunnelPayer, bytes: number): void {
  for (let carried = 0; carried < bytes; carried += CELL) payer.onReceived(CELL, CELL - 60, true)
}

const paidTo = (sent: readonly Sent[], place: number | undefined): number =>
  sent.filter(
    (one) =>
      one.place === place &&
      one.message.kind === PAY.SPEND &&
      one.message.tokenKind === TOKEN_KIND.BANDWIDTH,
  ).length

describe('the payer of a tunnel', () => {
  const [entry, middle, exit, other] = NODES

  it('sends nothing before something is asked, then admission first and once', () => {
    const { payer, ride, sent } = world()
    ride(entry, exit)
    assert.equal(sent.length, 0)
    payer.admit()
    payer.admit()
    const kinds = sent.map(({ message }) => message.kind === PAY.SPEND && message.tokenKind)
    assert.deepEqual(kinds, [TOKEN_KIND.ADMISSION])
  })

  it('carries a short page for nothing', () => {
    const { payer, ride, sent } = world()
    ride(entry, middle, exit)
    carry(payer, 96 * 1024)
    assert.equal(sent.length, 0)
  })

  it('pays each hop after the entry for what passed, and never more than a token and a window ahead', () => {
    const { payer, ride, sent } = world()
    ride(entry, middle, exit)
    for (let carried = MIB; carried <= 100 * MIB; carried += MIB) {
      carry(payer, MIB)
      for (const place of [1, undefined]) {
        const aheadBytes = paidTo(sent, place) * TOKEN_BYTES - carried
        assert.ok(aheadBytes >= 0, `behind by ${-aheadBytes} after ${carried}`)
        assert.ok(aheadBytes <= 2 * TOKEN_BYTES, `ahead by ${aheadBytes} after ${carried}`)
      }
    }
    assert.equal(paidTo(sent, 0), 0)
  })

  it('pays the exit by its class, and the hops before it as ever: they know of no class', () => {
    const weight = classWeight({ classStep: 8, priceStep: 4 })
    const { payer, ride, sent } = world({ weight })
    ride(entry, middle, exit)
    for (let carried = MIB; carried <= 100 * MIB; carried += MIB) {
      carry(payer, MIB)
      for (const [place, countedBytes] of [
        [1, carried],
        [undefined, 4 * carried],
      ] as const) {
        const aheadBytes = paidTo(sent, place) * TOKEN_BYTES - countedBytes
        assert.ok(aheadBytes >= 0, `behind by ${-aheadBytes} after ${carried}`)
        assert.ok(aheadBytes <= 2 * TOKEN_BYTES, `ahead by ${aheadBytes} after ${carried}`)
      }
    }
  })

  it('carries a short page for nothing whatever the class', () => {
    const weight = classWeight({ classStep: 8, priceStep: 1 })
    const { payer, ride, sent } = world({ weight })
    ride(entry, middle, exit)
    carry(payer, 96 * 1024)
    assert.equal(sent.length, 0)
  })

  it('believes an exit that counts by the class, and leaves one that counts by more', () => {
    const weight = classWeight({ classStep: 8, priceStep: 4 })
    const due = (countedBytes: number) => ({ kind: PAY.DUE, countedBytes, paidBytes: 0 }) as const
    const { payer, ride, faults } = world({ weight })
    ride(entry, exit)
    carry(payer, 10 * MIB)
    assert.equal(payer.onPay(due(40 * MIB), undefined), true)
    assert.equal(payer.onPay(due(80 * MIB), undefined), false)
    assert.deepEqual(faults, [exit?.key])
  })

  it('pays a fast stream with bulk tokens once sixteen times as much was served, with others where there are none', async () => {
    const { payer, ride, sent, shop, timers } = world()
    ride(entry, exit)
    shop.bulk = 2
    const paidBytes = (): number =>
      sent.reduce((sum, { message }) => {
        if (message.kind !== PAY.SPEND) return sum
        return sum + (message.tokenKind === TOKEN_KIND.BULK ? 32 * MIB : TOKEN_BYTES)
      }, 0)
    const kindsOf = (from: number): TokenKind[] =>
      sent
        .slice(from)
        .flatMap(({ message }) => (message.kind === PAY.SPEND ? message.tokenKind : []))
    /** 40 MiB a second. */
    const run = async (mib: number): Promise<void> => {
      for (let i = 0; i < mib; i++) {
        carry(payer, MIB)
        await timers.pass(25)
      }
    }
    await run(508)
    assert.ok(kindsOf(0).every((kind) => kind === TOKEN_KIND.BANDWIDTH))
    const before = sent.length
    await run(80)
    const { BULK, BANDWIDTH } = TOKEN_KIND
    assert.deepEqual(kindsOf(before).slice(0, 4), [BANDWIDTH, BULK, BULK, BANDWIDTH])
    assert.ok(paidBytes() - 588 * MIB <= 32 * MIB + 2 * TOKEN_BYTES)
    // A slow one is paid in small tokens whatever it carried before.
    shop.bulk = 2
    const later = sent.length
    for (let i = 0; i < 64; i++) {
      carry(payer, MIB)
      await timers.pass(100)
    }
    assert.ok(kindsOf(later + 2).every((kind) => kind === BANDWIDTH))
  })

  it('pays again what a refused token was worth, by the kind that the refusal names', () => {
    const { payer, ride, sent, lost, faults } = world()
    ride(entry, exit)
    payer.admit()
    carry(payer, MIB)
    const refuse = (index: number): boolean =>
      payer.onPay({ kind: PAY.REFUSED, verdict: VERDICT.UNKNOWN_KEY, index }, undefined)
    assert.equal(refuse(TOKEN_KIND.ADMISSION), true)
    assert.deepEqual(lost, [])
    assert.equal(refuse(TOKEN_KIND.BANDWIDTH), true)
    assert.deepEqual(lost, [TOKEN_BYTES])
    carry(payer, MIB)
    assert.equal(paidTo(sent, undefined), 2)
    for (const index of [0, 4]) assert.equal(refuse(index), false)
    assert.deepEqual(faults, [])
  })

  for (const { name, kind, carried } of [
    { name: 'a bulk token that was never sent', kind: TOKEN_KIND.BULK, carried: 1 },
    { name: 'bandwidth tokens without end', kind: TOKEN_KIND.BANDWIDTH, carried: 1 },
    {
      name: 'bandwidth tokens of a long stream without end',
      kind: TOKEN_KIND.BANDWIDTH,
      carried: 1600,
    },
  ]) {
    it(`leaves an exit that refuses ${name}: it cost no more than sixteen tokens and a sixteenth of what it served`, () => {
      const { payer, ride, sent, faults, lost } = world()
      ride(entry, exit)
      carry(payer, carried * MIB)
      const before = paidTo(sent, undefined)
      let refusals = 0
      for (let isKept = true; isKept; refusals++) {
        assert.ok(refusals < 1000, 'it is noticed')
        const verdict = VERDICT.TRY_LATER
        isKept = payer.onPay({ kind: PAY.REFUSED, verdict, index: kind }, undefined)
        if (isKept) isKept = payer.onReceived(CELL, CELL - 60, true)
      }
      assert.deepEqual(faults, [exit?.key])
      const twice = (paidTo(sent, undefined) - before) * TOKEN_BYTES
      assert.ok(twice <= 64 * MIB + (carried / 16) * MIB + 2 * TOKEN_BYTES, `${twice} bytes`)
      assert.ok(lost.reduce((sum, bytes) => sum + bytes, 0) <= 64 * MIB + (carried / 16 + 1) * MIB)
      if (kind === TOKEN_KIND.BULK) assert.deepEqual([refusals, twice], [1, 0])
    })
  }

  it('leaves an exit that ends leg after leg and says that the last tokens did not arrive', async () => {
    const { payer, ride, faults, shop, lost, timers } = world()
    ride(entry, middle, exit)
    shop.bulk = 1000
    let [mib, isKept] = [0, true]
    const run = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++, mib++) {
        carry(payer, MIB)
        await timers.pass(25)
      }
    }
    await run(640)
    lost.length = 0
    for (let leg = 0; isKept; leg++) {
      assert.ok(leg < 100, 'it is noticed')
      await run(128)
      ride(entry, leg % 2 === 0 ? other : middle, exit)
      isKept = payer.onPay({ kind: PAY.DUE, countedBytes: mib * MIB, paidBytes: 0 }, undefined)
    }
    assert.deepEqual(faults, [exit?.key])
    assert.ok(mib < 3000, `after ${mib} MiB`)
  })

  it('pays no hop that serves for nothing', () => {
    const { payer, ride, sent } = world({ freeNodes: middle ? [middle] : [] })
    ride(entry, middle, exit)
    carry(payer, 10 * MIB)
    assert.equal(paidTo(sent, 1), 0)
    assert.ok(paidTo(sent, undefined) >= 2)
  })

  it('takes what the exit was paid along to the next leg, and pays its new relay from the start', () => {
    const { payer, ride, sent, lost } = world()
    ride(entry, middle, exit)
    carry(payer, 2 * MIB)
    const before = paidTo(sent, undefined)
    ride(entry, other, exit)
    assert.ok(lost.some((bytes) => bytes > 0 && bytes <= TOKEN_BYTES))
    carry(payer, MIB / 4)
    assert.equal(paidTo(sent, undefined), before)
    assert.equal(paidTo(sent, 1), 2)
  })

  it('pays once more for what was under way when a leg died, not for what a hop merely says', () => {
    const { payer, ride, sent } = world()
    ride(entry, middle, exit)
    carry(payer, MIB)
    ride(entry, other, exit)
    for (let i = 0; i < 20; i++)
      payer.onPay({ kind: PAY.DUE, countedBytes: MIB, paidBytes: 0 }, undefined)
    assert.equal(paidTo(sent, undefined), 2)
  })

  it('leaves a hop that counts what never passed', () => {
    const { payer, ride, faults } = world()
    ride(entry, middle, exit)
    carry(payer, MIB)
    assert.equal(payer.onPay({ kind: PAY.DUE, countedBytes: 60 * MIB, paidBytes: 0 }, 1), false)
    assert.deepEqual(faults, [middle?.key])
  })

  it('loses at most a token and a window to a hop that takes pay and stops', () => {
    const { payer, ride, sent } = world()
    ride(entry, middle, exit)
    carry(payer, 9 * MIB)
    payer.stop()
    carry(payer, 9 * MIB)
    for (const place of [1, undefined])
      assert.ok(paidTo(sent, place) * TOKEN_BYTES - 9 * MIB <= 2 * TOKEN_BYTES)
  })

  it('leaves an exit that fills cells with nothing, and has paid for no more than an eighth of it', () => {
    const { payer, ride, sent, faults } = world()
    ride(entry, exit)
    carry(payer, 8 * MIB)
    const before = paidTo(sent, undefined)
    let floodBytes = 0
    while (payer.onReceived(CELL, 0, true)) {
      floodBytes += CELL
      assert.ok(floodBytes < 4 * MIB, 'the flood is noticed')
    }
    assert.deepEqual(faults, [exit?.key])
    assert.ok(floodBytes <= MIB + 512 * 1024)
    assert.ok(paidTo(sent, undefined) - before <= 1)
  })

  it('goes on when tokens come that were missing', async () => {
    const { payer, ride, sent, shop } = world({ stock: 0 })
    ride(entry, exit)
    carry(payer, MIB)
    assert.equal(paidTo(sent, undefined), 0)
    shop.stock = 10
    shop.changed.resolve()
    await settle()
    assert.equal(paidTo(sent, undefined), 1)
  })

  it('takes from hops what a hop may say, and nothing else', () => {
    const { payer, ride } = world()
    ride(entry, middle, exit)
    assert.equal(payer.onPay({ kind: PAY.KEYS_GET }, undefined), false)
    assert.equal(payer.onPay({ kind: PAY.DUE, countedBytes: 0, paidBytes: 0 }, 0), false)
    assert.equal(payer.onPay({ kind: PAY.DUE, countedBytes: 0, paidBytes: 0 }, 1), true)
  })

  it('sends the same admission again when nothing arrived, and none before it was sent at all', () => {
    const { payer, ride, sent } = world()
    ride(NODES[0], NODES[1])
    payer.admitAgain()
    assert.equal(sent.length, 0)
    payer.admit()
    ride(NODES[0], NODES[1])
    payer.admit()
    assert.equal(sent.length, 1)
    payer.admitAgain()
    assert.equal(sent[1]?.message, sent[0]?.message)
  })
})
