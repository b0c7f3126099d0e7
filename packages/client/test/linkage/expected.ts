/** What the linkage test must have seen, or it would have compared nothing. */

/** Circuits of tunnels, of purchases, of slots that go back, and of questions about the chain. */
const ROLES: readonly string[] = ['circuit', 'control', 'return', 'chain']
/** Kinds of cells, each with where on its way it was seen. */
export const CELLS: readonly string[] = ROLES.flatMap((role) => [
  ...[0, 1, 2].flatMap((hop) => [`${role} create at ${hop}`, `${role} created at ${hop}`]),
  ...[0, 2].flatMap((hop) => [`${role} forward at ${hop}`, `${role} backward at ${hop}`]),
])
/** Of middles, once built: what their entries send on, and what comes back. */
export const INNER_CELLS: readonly string[] = [
  ...ROLES.flatMap((role) => [`${role} forward at 1`, `${role} backward at 1`]),
  'circuit forward to it at 1',
]
/** In the clear, to whom they are for. */
export const OPENED_CELLS: readonly string[] = [
  'circuit opened at 1',
  ...ROLES.map((role) => `${role} opened at 2`),
]
/** Of messages, of the chain's calls and events, and of what is asked about it. */
export const FIELDS: readonly string[] = [
  'control.opening.nullifier',
  'control.signature',
  'entry.commits',
  'circuit.pay.nonce',
  'circuit.tunnelId',
  'control.publicKey',
  'entry.opening.receiptKey',
  'refund.request.idc',
  'close.request.sessionKey',
  'withdrawThrough.request.to',
  'joining.request.rests',
  'joining.request.units',
  'joining.request.proof',
  'chain.Inserted.index',
  'chain.Inserted.idc',
  'chain.Locked.nullifier',
  'chain.bind.ticket.reveal',
  'chain.Won.index',
  'chain.claimMore.ticket.nonce',
  'chain.finishRefund.idc',
  'chain.finishClose.destination.signature',
  'chain.withdrawPart.nullifiers',
  'chain.finishWithdraw.nullifier',
  'chain.SlotChanged.state',
  'deposit.from',
  'circuit.trafficClass',
  'circuit.classStep',
  'circuit.priceStep',
  'circuit.pay.tokenKind',
  'circuit.aheadMib',
  'circuit.paidAtMib',
  'circuit.leftMib',
  'circuit.bandwidthTokens',
  'circuit.bulkTokens',
  'circuit.bandwidthTokensBeforeBulk',
  'control.amount',
  'control.tokenKind',
  'control.keyId',
  'control.count',
  'control.request',
  'control.bandwidthBought',
  'control.bulkBought',
  'entry.amount',
  'entry.next.opening.nullifier',
  'chain.bind.ticket.amount',
  'circuit.payload',
  'circuit.port',
  'circuit.mac',
  'asking.question.from',
  'asking.question.blockHash',
  'asking.question.account',
  'asking.question.transaction',
  'asking.part',
  'refund.answer',
]

/** Of tunnels and slots: what grows with what passes. */
const OF_FLOW =
  /^(control|entry|circuit|chain)\.(.*\.)?(kind|tokenKind|count|request|amount|firstIndex|units|wins|limit|\w*Bought|\w*Mib|\w*Tokens\w*)$/
/** Of the kind that was bought. */
const BOUGHT_KEY = 'control.keyId'
const TICKET_INDEX = /^(control|entry)\.index$|\.ticket\.index$|^chain\.Won\.index$/

/** Numbers that say how much passes. Whoever is paid knows that, and a client that downloads says so by each of them: they are compared among clients that download, and among the others. */
export const saysHowMuch = (name: string): boolean =>
  OF_FLOW.test(name) || TICKET_INDEX.test(name) || name === BOUGHT_KEY
