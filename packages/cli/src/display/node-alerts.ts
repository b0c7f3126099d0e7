/** What a node's operator may have to act on, in words: told when it begins, kept for `byway status` until it is over. */
import type { GasState, PayoutChange, RedemptionAlert, ServiceAlert } from '@byway/node'
import { formatAddress } from '@byway/purse'
import type { OpeningReport, StoreHealth } from '@byway/store'
import type { JsonObject } from '../output.ts'

/** An alert that stands, or one that happened. */
export type NodeAlert = {
  readonly alert:
    | RedemptionAlert['type']
    | ServiceAlert['type']
    | 'proof-program'
    | 'gas-low'
    | 'gas-none'
    | 'not-staked'
    | 'payout-change'
    | 'not-reached'
    | 'place-differs'
    | 'records-damaged'
    | 'disk-full'
    | 'disk-failed'
  /** What happened and what to do. */
  readonly text: string
}

/** The alerts of one node. */
export interface NodeAlerts {
  readonly standing: readonly NodeAlert[]
  onWins(alert: RedemptionAlert): void
  onWinsOver(type: RedemptionAlert['type']): void
  onGas(state: GasState): void
  /** A change of where earnings go waits; undefined when none does any more. */
  onPayout(change: PayoutChange | undefined): void
  onProofs(alert: ServiceAlert): void
  /** Whether the program of service proofs is being made. */
  onProofProgram(isMaking: boolean): void
  /** What opening the records of money found: told where they were not whole. */
  onStoreReport(report: OpeningReport): void
  onStoreHealth(health: StoreHealth): void
  /** Whether an active stake stands behind the node. @param nodeId - as the operator writes it */
  onStake(isStaked: boolean, nodeId: string): void
}

export type NodeAlertsDeps = {
  /** The account that pays the gas, 20 bytes. */
  readonly account: Uint8Array
  readonly isRedeemer: boolean
  /** What redeemers get of a win, in hundredths. */
  readonly feePercent: number
  readonly onAlert: (alert: NodeAlert) => void
}

/** Creates a board with nothing on it. */
export function createNodeAlerts(deps: NodeAlertsDeps): NodeAlerts {
  const standing = new Map<NodeAlert['alert'], NodeAlert>()
  let hadCoin = false
  const raise = (alert: NodeAlert): void => {
    const isNews = standing.get(alert.alert)?.text !== alert.text
    // What is lost stays so, and what is said of an epoch is about that one: told once, and not kept.
    if (!ONCE.has(alert.alert)) standing.set(alert.alert, alert)
    if (isNews) deps.onAlert(alert)
  }
  return {
    get standing() {
      return [...standing.values()]
    },
    onWins: (alert) => raise({ alert: alert.type, text: describeWins(alert) }),
    onWinsOver: (type) => void standing.delete(type),
    onProofs: (alert) => raise({ alert: alert.type, text: describeProofs(alert) }),
    onProofProgram(isMaking) {
      if (isMaking) raise({ alert: 'proof-program', text: PROGRAM_TEXT })
      else standing.delete('proof-program')
    },
    onStoreReport(report) {
      if (isDamaged(report)) raise({ alert: 'records-damaged', text: describeDamage(report) })
    },
    onStoreHealth(health) {
      standing.delete('disk-full')
      if (health !== 'ok') raise({ alert: `disk-${health}`, text: DISK_TEXTS[health] })
    },
    onStake(isStaked, nodeId) {
      if (isStaked) standing.delete('not-staked')
      else raise({ alert: 'not-staked', text: describeNoStake(nodeId) })
    },
    onPayout(change) {
      standing.delete('payout-change')
      if (change) raise({ alert: 'payout-change', text: describePayout(change) })
    },
    onGas(state) {
      hadCoin ||= state.level !== 'none'
      for (const alert of ['gas-low', 'gas-none'] as const) standing.delete(alert)
      // A home without coin is as it should be: redeemers send for it.
      if (state.level === 'none' && !hadCoin && !deps.isRedeemer) return
      if (state.level !== 'enough')
        raise({ alert: `gas-${state.level}`, text: describeGas(state, deps) })
    },
  }
}

const ONCE: ReadonlySet<NodeAlert['alert']> = new Set([
  'win-lost',
  'proof-missing',
  'commit-no-coin',
  'challenged',
  'epoch-lost',
  'epoch-failed',
])

/** For scripts. */
export function alertFields({ alert, text }: NodeAlert): JsonObject {
  return { alert, text }
}

function isDamaged({ damagedRows, missingRows, isTailLost }: OpeningReport): boolean {
  return damagedRows > 0 || missingRows > 0 || isTailLost
}

function describeDamage(report: OpeningReport): string {
  const { keptRows, damagedRows, missingRows, isTailLost, sideFiles } = report
  const tail = isTailLost ? '; the newest writes are gone, how many is not known' : ''
  const place = sideFiles.length > 0 ? `side file ${sideFiles.join(', ')}` : 'no side file'
  return `the records of money were damaged and are repaired: ${keptRows} kept, ${damagedRows} damaged and ${missingRows} missing${tail}; ${place}. See to the disk: a win among what is gone is not paid`
}

const PROGRAM_TEXT =
  'the program of service proofs is being made, once for this machine: some minutes at low priority, after which the node commits. Nothing to do but to keep it running'

const DISK_TEXTS = {
  full: 'the disk of the state folder is full: no ticket is taken and nothing is earned until there is room. Free some space; the node goes on by itself',
  failed:
    'the disk of the state folder failed: the node stops, and what was acknowledged is on it. See to the disk, then start again',
} as const

function describeNoStake(nodeId: string): string {
  return `no active stake stands behind this node, so nobody lists it: \`byway wallet register ${nodeId} --stake AMOUNT\` puts one down, with the owner's key`
}

function describePayout({ to, fromS }: PayoutChange): string {
  const from = new Date(fromS * 1000).toISOString()
  return `earnings are to go to ${formatAddress(to)} from ${from} on, as the owner's key has asked. If that was not you, \`byway wallet payout set\` with the present address takes it back until then`
}

function describeGas(
  { level, wins }: GasState,
  { account, isRedeemer, feePercent }: NodeAlertsDeps,
): string {
  const place = formatAddress(account)
  const then = isRedeemer
    ? 'without it this node redeems for nobody'
    : `without it redeemers send the wins, for ${feePercent} % of each`
  return level === 'none'
    ? `no coin for gas is left on ${place}: send some there; ${then}`
    : `gas runs short: the coin on ${place} pays for about ${wins} more wins. Send some there; ${then}`
}

function describeWins(alert: RedemptionAlert): string {
  switch (alert.type) {
    case 'win-at-risk':
      return `${alert.winners} wins must be claimed before ${new Date(alert.deadlineS * 1000).toISOString()} and are not yet: keep the node running, and see that the chain's endpoints answer`
    case 'win-lost':
      return `${alert.winners} wins ended without money (${alert.reason}): \`byway ledger\` has them under "wins lost"`
    case 'chain-unreachable':
      return 'the chain cannot be asked: wins wait on the disk. See that the endpoints of the network file answer'
    case 'gas-dear':
      return `gas costs more than ${alert.winners} wins are worth now: they wait, and go out before their time ends`
    case 'no-sender':
      return `${alert.winners} wins have neither coin for gas nor a redeemer that takes them: send coin to the provider's account (\`byway wallet show\`)`
    case 'unsigned':
      return `the purse signs nothing now: ${alert.winners} wins wait. Either its signer is being started again, or it has signed away as much for gas as it does in a day (UTC); no redeemer takes them meanwhile. The node goes on by itself`
    case 'stake-low':
      return 'the stake is too low for slots to be locked: add to it with `byway wallet stake add`, or others may bind what this node has won'
  }
}

function describeProofs(alert: ServiceAlert): string {
  const epoch = `epoch ${alert.epoch}`
  switch (alert.type) {
    case 'proof-missing':
      if (alert.code === 'ZK_SMALL_MACHINE')
        return `this machine has too little memory for a service proof: nothing is committed to ${epoch}, and what was held back of its wins will be lost. A proof takes a machine of 1.5 GB`
      if (alert.code === 'PROOF_OTHER_RECEIPTS')
        return `the receipts on this disk are not those that were committed to for ${epoch}: the state folder was put back to another time. Put the newest copy back; a challenge without those receipts takes the stake`
      if (alert.code === 'ZK_NOT_MADE')
        return `the files of the program of service proofs are not on this machine, so that nothing is committed to ${epoch} or its proof is missing: in a clone of Byway \`npm run ceremony -- keep service-audit KEY.zkey\` brings a ceremony's, \`npm run zk -- service-audit\` makes a local network's. Without them what was held back is lost, and a challenge of what was committed takes the stake`
      return `the service proof of ${epoch} cannot be made (${alert.code}). A challenge without it takes the stake`
    case 'commit-no-coin':
      return `there is no coin for gas to commit to ${epoch}, and no redeemer takes it for what was held back: send some to the provider's account (\`byway wallet show\`) before ${new Date(alert.deadlineS * 1000).toISOString()}, or what was held back of its wins is lost`
    case 'challenged':
      return `the service proof of ${epoch} is challenged: keep the node running, so that it answers before ${new Date(alert.deadlineS * 1000).toISOString()}`
    case 'epoch-lost':
      return `nothing was committed to ${epoch} in time: what was held back of its wins is lost. Run the node in the first days of an epoch`
    case 'epoch-failed':
      return `the commitment to ${epoch} has failed: nobody drew its beacon, or a challenge was not answered in time and took the stake`
  }
}
