/**
 * What each event of a node does to its books. `docs/CLI.md` explains the accounts; the moves stand here.
 * @module
 */
import { unreachable } from '@byway/protocol/base'
import type { Commodity, Line, NodeAccount } from './accounts.ts'
import type { NodeMoneyEvent, ServingRole, TokenKindName } from './events.ts'
import { bytesOfTokens, bytesOfUnits } from './units.ts'

/** Gives the lines of an event; a sum other than zero means that the event itself is wrong. `reversed` is the ledger's own. */
export function postNodeEvent(event: NodeMoneyEvent): readonly Line[] {
  switch (event.type) {
    case 'carried':
    case 'tickets-received':
    case 'paid-lapsed':
      return postService(event)
    case 'tokens-sold':
    case 'tokens-redeemed':
    case 'tokens-lapsed':
      return postTokens(event)
    case 'won':
    case 'claimed':
    case 'claim-paid':
    case 'claim-lost':
    case 'held-back-settled':
      return postWins(event)
    case 'lock-fee-paid':
      return move('money', event.from, 'redeemer fees', event.amount)
    case 'fee-earned':
      return move('money', 'wins of others', 'fees earned', event.amount)
    case 'fees-moved':
      return move('money', 'fees earned', 'outside', event.amount)
    case 'staked':
      return move('money', 'purse', 'stake', event.amount)
    case 'slashed':
      return move('money', 'stake', 'slashed', event.amount)
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
      return unreachable(event, 'every event of a node is posted')
  }
}

type EventOf<T extends NodeMoneyEvent['type']> = Extract<NodeMoneyEvent, { readonly type: T }>

function postService(
  event: EventOf<'carried' | 'tickets-received' | 'paid-lapsed'>,
): readonly Line[] {
  switch (event.type) {
    case 'carried':
      return [
        ...move('bytes', OWED[event.role], 'carried for pay', event.paidBytes),
        ...move('bytes', 'free', 'carried free', event.freeBytes),
      ]
    case 'tickets-received':
      return [
        ...move('tickets', 'clients', 'received', BigInt(event.tickets)),
        ...move('bytes', 'sold', PAID_TO[event.use], bytesOfUnits(event.units)),
        ...move('expected', 'clients', 'from tickets', event.amount),
      ]
    case 'paid-lapsed':
      return move(
        'bytes',
        event.from === 'slot' ? 'owed to slots' : OWED[event.from],
        'lapsed',
        event.bytes,
      )
    default:
      return unreachable(event, 'every event of service is posted')
  }
}

function postTokens(
  event: EventOf<'tokens-sold' | 'tokens-redeemed' | 'tokens-lapsed'>,
): readonly Line[] {
  const worth = bytesOfTokens(event.kind, event.count)
  switch (event.type) {
    case 'tokens-sold':
      return [
        ...moveTokens(event.kind, 'issued', 'outstanding', event.count),
        ...move(
          'bytes',
          'owed to slots',
          event.kind === 'admission' ? 'admissions' : 'owed on tokens',
          bytesOfUnits(event.units),
        ),
      ]
    case 'tokens-redeemed':
      return [
        ...moveTokens(event.kind, 'outstanding', 'redeemed', event.count),
        ...move('bytes', 'owed on tokens', OWED[event.role], worth),
      ]
    case 'tokens-lapsed':
      return [
        ...moveTokens(event.kind, 'outstanding', 'lapsed', event.count),
        ...move('bytes', 'owed on tokens', 'lapsed', worth),
      ]
    default:
      return unreachable(event, 'every event of tokens is posted')
  }
}

function postWins(
  event: EventOf<'won' | 'claimed' | 'claim-paid' | 'claim-lost' | 'held-back-settled'>,
): readonly Line[] {
  switch (event.type) {
    case 'won':
      return [
        ...move('wins', 'drawn', 'unredeemed', 1n),
        ...move('money', 'client slots', 'wins unredeemed', event.amount),
      ]
    case 'claimed':
      return [
        ...move('wins', 'unredeemed', 'claimed', BigInt(event.wins)),
        ...move('money', 'wins unredeemed', 'claims', event.amount),
      ]
    case 'claim-paid':
      return [
        ...move('wins', 'claimed', 'paid', BigInt(event.wins)),
        line('money', 'claims', -event.amount),
        line('money', 'fees burned', event.burned),
        line('money', 'redeemer fees', event.redeemerFee),
        line('money', 'held back', event.heldBack),
        line('money', 'purse', event.received),
      ]
    case 'claim-lost':
      return [
        ...move('wins', event.afterClaim ? 'claimed' : 'unredeemed', 'lost', BigInt(event.wins)),
        ...move(
          'money',
          event.afterClaim ? 'claims' : 'wins unredeemed',
          'wins lost',
          event.amount,
        ),
      ]
    case 'held-back-settled':
      return [
        line('money', 'held back', -(event.received + event.burned)),
        line('money', 'purse', event.received),
        line('money', 'fees burned', event.burned),
      ]
    default:
      return unreachable(event, 'every event of wins is posted')
  }
}

const OWED = {
  entry: 'owed on links',
  relay: 'owed by relaying',
  exit: 'owed by exiting',
} as const satisfies Record<ServingRole, NodeAccount<'bytes'>>

const PAID_TO = { link: 'owed on links', tokens: 'owed to slots' } as const

function moveTokens(
  kind: TokenKindName,
  from: NodeAccount<'bandwidth tokens'>,
  to: NodeAccount<'bandwidth tokens'>,
  count: number,
): readonly Line[] {
  const pieces = BigInt(count)
  switch (kind) {
    case 'bandwidth':
      return move('bandwidth tokens', from, to, pieces)
    case 'bulk':
      return move<'bulk tokens'>('bulk tokens', from, to, pieces)
    case 'admission':
      return move<'admission tokens'>('admission tokens', from, to, pieces)
    default:
      return unreachable(kind, 'every kind of token is posted')
  }
}

function move<C extends Commodity>(
  commodity: C,
  from: NodeAccount<C>,
  to: NodeAccount<C>,
  amount: bigint,
): readonly Line[] {
  return [line(commodity, from, -amount), line(commodity, to, amount)]
}

function line<C extends Commodity>(commodity: C, name: NodeAccount<C>, amount: bigint): Line {
  return { commodity, name, amount }
}
