/**
 * What each event of a client does to its books, hop by hop where it says so.
 * @module
 */
import { unreachable } from '@byway/protocol/base'
import type { ClientAccount, Commodity, Line } from './accounts.ts'
import type { ClientMoneyEvent, TicketUse, TokenKindName } from './events.ts'
import { bytesOfTokens, bytesOfUnits } from './units.ts'

/** Gives the lines of an event; a sum other than zero means that the event itself is wrong. `reversed` is the ledger's own. */
export function postClientEvent(event: ClientMoneyEvent): readonly Line[] {
  switch (event.type) {
    case 'tickets-sent':
      return postTickets(event)
    case 'tickets-void':
      return postTickets(event).map((one) => ({ ...one, amount: -one.amount }))
    case 'used':
    case 'paid-lost':
      return postService(event)
    case 'tokens-bought':
    case 'tokens-spent':
    case 'tokens-lost':
      return postTokens(event)
    case 'slot-shown':
    case 'slot-won':
    case 'slot-returned':
    case 'bond-burned':
      return postSlot(event)
    case 'deposited':
      return move('money', 'purse', 'deposit', event.amount)
    case 'withdrawn-unused':
    case 'leaves-joined':
      return [
        line('money', 'deposit', -event.amount),
        line('money', 'purse', event.amount - event.fee),
        line('money', 'relayer fees', event.fee),
      ]
    case 'purse-received':
      return move('money', 'outside', 'purse', event.amount)
    case 'purse-sent':
      return move('money', 'purse', 'outside', event.amount)
    case 'gas-received':
      return move('gas', 'outside', 'gas money', event.wei)
    case 'gas-paid':
      return move('gas', 'gas money', 'spent', event.wei)
    case 'reversed':
      return []
    default:
      return unreachable(event, 'every event of a client is posted')
  }
}

type EventOf<T extends ClientMoneyEvent['type']> = Extract<ClientMoneyEvent, { readonly type: T }>

function postTickets({
  hop,
  use,
  tickets,
  units,
  amount,
}: EventOf<'tickets-sent' | 'tickets-void'>): readonly Line[] {
  const ahead = use === 'link' ? 'ahead on links' : 'ahead at hops'
  return [
    ...move('tickets', 'made', 'sent', BigInt(tickets), hop),
    ...move('bytes', 'bought', ahead, bytesOfUnits(units), hop),
    ...move('expected', 'own', 'spent on tickets', amount, hop),
  ]
}

function postService(event: EventOf<'used' | 'paid-lost'>): readonly Line[] {
  const { hop } = event
  switch (event.type) {
    case 'used':
      return [
        ...move('bytes', SERVED_FROM[event.use], 'used', event.paidBytes, hop),
        ...move('bytes', 'free', 'used free', event.freeBytes, hop),
      ]
    case 'paid-lost':
      return move(
        'bytes',
        event.from === 'balance' ? 'ahead at hops' : SERVED_FROM[event.from],
        'lost',
        event.bytes,
        hop,
      )
    default:
      return unreachable(event, 'every event of service is posted')
  }
}

function postTokens(
  event: EventOf<'tokens-bought' | 'tokens-spent' | 'tokens-lost'>,
): readonly Line[] {
  const { hop, kind, count } = event
  const worth = bytesOfTokens(kind, count)
  switch (event.type) {
    case 'tokens-bought':
      return [
        ...moveTokens(kind, 'bought', 'held', count, hop),
        ...move(
          'bytes',
          'ahead at hops',
          kind === 'admission' ? 'admissions' : 'ahead in tokens',
          bytesOfUnits(event.units),
          hop,
        ),
      ]
    case 'tokens-spent':
      return [
        ...moveTokens(kind, 'held', 'spent', count, hop),
        ...move('bytes', 'ahead in tokens', 'ahead on circuits', worth, hop),
      ]
    case 'tokens-lost':
      return [
        ...moveTokens(kind, 'held', 'lost', count, hop),
        ...move('bytes', 'ahead in tokens', 'lost', worth, hop),
      ]
    default:
      return unreachable(event, 'every event of tokens is posted')
  }
}

function postSlot(
  event: EventOf<'slot-shown' | 'slot-won' | 'slot-returned' | 'bond-burned'>,
): readonly Line[] {
  const { hop, amount } = event
  switch (event.type) {
    case 'slot-shown':
      return [line('money', 'deposit', -amount), line('money', 'slots', amount, hop)]
    case 'slot-won':
      return [
        ...move('wins', 'drawn', 'paid', BigInt(event.wins), hop),
        ...move('money', 'slots', 'won by hops', amount, hop),
      ]
    case 'slot-returned':
      return [
        line('money', 'slots', -amount, hop),
        line('money', 'purse', amount - event.fee),
        line('money', 'relayer fees', event.fee),
      ]
    case 'bond-burned':
      return move('money', 'slots', 'bonds burned', amount, hop)
    default:
      return unreachable(event, 'every event of slots is posted')
  }
}

const SERVED_FROM = {
  link: 'ahead on links',
  tokens: 'ahead on circuits',
} as const satisfies Record<TicketUse, ClientAccount<'bytes'>>

function moveTokens(
  kind: TokenKindName,
  from: ClientAccount<'bandwidth tokens'>,
  to: ClientAccount<'bandwidth tokens'>,
  count: number,
  hop: string,
): readonly Line[] {
  const pieces = BigInt(count)
  switch (kind) {
    case 'bandwidth':
      return move('bandwidth tokens', from, to, pieces, hop)
    case 'bulk':
      return move<'bulk tokens'>('bulk tokens', from, to, pieces, hop)
    case 'admission':
      return move<'admission tokens'>('admission tokens', from, to, pieces, hop)
    default:
      return unreachable(kind, 'every kind of token is posted')
  }
}

function move<C extends Commodity>(
  commodity: C,
  from: ClientAccount<C>,
  to: ClientAccount<C>,
  amount: bigint,
  hop?: string,
): readonly Line[] {
  return [line(commodity, from, -amount, hop), line(commodity, to, amount, hop)]
}

function line<C extends Commodity>(
  commodity: C,
  name: ClientAccount<C>,
  amount: bigint,
  hop?: string,
): Line {
  return hop === undefined ? { commodity, name, amount } : { commodity, name, hop, amount }
}
