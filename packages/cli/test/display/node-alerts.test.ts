import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNodeAlerts, type NodeAlert } from '../../src/display/node-alerts.ts'

function worldOf(isRedeemer = false) {
  const told: NodeAlert[] = []
  const alerts = createNodeAlerts({
    account: new Uint8Array(20).fill(0x5a),
    isRedeemer,
    feePercent: 10,
    onAlert: (alert) => void told.push(alert),
  })
  const standing = (): readonly string[] => alerts.standing.map(({ alert }) => alert)
  return { alerts, told, standing }
}

test('coin that runs short says how far it goes and where to send more, until there is some', () => {
  const { alerts, told, standing } = worldOf()
  alerts.onGas({ level: 'enough', wins: 50 })
  assert.equal(told.length, 0)
  alerts.onGas({ level: 'low', wins: 12 })
  assert.match(told[0]?.text ?? '', /gas runs short: the coin on 0x5[aA].* about 12 more wins/)
  assert.match(told[0]?.text ?? '', /Send some there; without it redeemers .* 10 % of each/)
  assert.deepEqual(standing(), ['gas-low'])
  alerts.onGas({ level: 'none', wins: 0 })
  assert.deepEqual(standing(), ['gas-none'])
  alerts.onGas({ level: 'enough', wins: 50 })
  assert.deepEqual(standing(), [])
})

test('a change of where earnings go stands until it is over, with what to do', () => {
  const { alerts, told, standing } = worldOf()
  alerts.onPayout(undefined)
  assert.equal(told.length, 0)
  alerts.onPayout({ to: new Uint8Array(20).fill(0x11), fromS: 1_800_000_000 })
  assert.match(told[0]?.text ?? '', /0x1{40} from 2027-01-15T08:00:00\.000Z/)
  assert.match(told[0]?.text ?? '', /byway wallet payout set/)
  assert.deepEqual(standing(), ['payout-change'])
  alerts.onPayout(undefined)
  assert.deepEqual(standing(), [])
})

test('a home that never had coin needs none; a redeemer does', () => {
  const home = worldOf()
  home.alerts.onGas({ level: 'none', wins: 0 })
  assert.deepEqual([home.told, home.standing()], [[], []])
  const redeemer = worldOf(true)
  redeemer.alerts.onGas({ level: 'none', wins: 0 })
  assert.match(redeemer.told[0]?.text ?? '', /this node redeems for nobody/)
})

test('what happened is told, what lasts is kept until it is over', () => {
  const { alerts, told, standing } = worldOf()
  alerts.onWins({ type: 'gas-dear', winners: 3 })
  alerts.onWins({ type: 'win-lost', winners: 1, reason: 'taken' })
  alerts.onWins({ type: 'win-lost', winners: 1, reason: 'taken' })
  alerts.onWins({ type: 'win-at-risk', winners: 2, deadlineS: 0 })
  assert.deepEqual(
    told.map(({ alert }) => alert),
    ['gas-dear', 'win-lost', 'win-lost', 'win-at-risk'],
  )
  assert.deepEqual(standing(), ['gas-dear', 'win-at-risk'])
  alerts.onWinsOver('gas-dear')
  assert.deepEqual(standing(), ['win-at-risk'])
  for (const type of ['chain-unreachable', 'stake-low'] as const) alerts.onWins({ type })
  alerts.onWins({ type: 'no-sender', winners: 4 })
  alerts.onWins({ type: 'unsigned', winners: 4 })
  assert.ok(told.every(({ text }) => text.length > 40))
})

test('what is said of an epoch is told once, with what to do', () => {
  const { alerts, told, standing } = worldOf()
  alerts.onProofs({ type: 'proof-missing', epoch: 7, code: 'ZK_NOT_MADE' })
  alerts.onProofs({ type: 'challenged', epoch: 7, deadlineS: 0 })
  alerts.onProofs({ type: 'epoch-lost', epoch: 7, held: 1n })
  alerts.onProofs({ type: 'epoch-failed', epoch: 7 })
  alerts.onProofs({ type: 'commit-no-coin', epoch: 7, deadlineS: 0 })
  alerts.onProofs({ type: 'proof-missing', epoch: 7, code: 'PROOF_OTHER_RECEIPTS' })
  assert.ok(told.every(({ text }) => text.includes('epoch 7') && text.length > 40))
  assert.equal(told.length, 6)
  assert.match(told.at(-1)?.text ?? '', /put back to another time/)
  assert.deepEqual(standing(), [])
})

test('a node without a stake is told how to put one down, until it has one', () => {
  const { alerts, told, standing } = worldOf()
  alerts.onStake(false, 'ab12')
  alerts.onStake(false, 'ab12')
  assert.equal(told.length, 1)
  assert.match(told[0]?.text ?? '', /nobody lists it: `byway wallet register ab12 --stake AMOUNT`/)
  alerts.onStake(true, 'ab12')
  assert.deepEqual(standing(), [])
})

test('records that were damaged are told in words: what was kept, what is gone, where the rest is', () => {
  const { alerts, told, standing } = worldOf()
  const whole = {
    isNew: false,
    keptRows: 40,
    damagedRows: 0,
    missingRows: 0,
    isTailLost: false,
    sideFiles: [],
  }
  alerts.onStoreReport(whole)
  assert.deepEqual([told, standing()], [[], []])
  const sideFiles = ['node.damaged-1.json']
  alerts.onStoreReport({ ...whole, damagedRows: 2, missingRows: 1, isTailLost: true, sideFiles })
  assert.match(told[0]?.text ?? '', /40 kept, 2 damaged and 1 missing; the newest writes are gone/)
  assert.match(told[0]?.text ?? '', /side file node\.damaged-1\.json/)
  assert.deepEqual(standing(), ['records-damaged'])
})

test('a disk that is full is told until it has room, one that failed for good', () => {
  const { alerts, told, standing } = worldOf()
  alerts.onStoreHealth('ok')
  assert.equal(told.length, 0)
  alerts.onStoreHealth('full')
  assert.match(told[0]?.text ?? '', /full: no ticket is taken .* Free some space/)
  assert.deepEqual(standing(), ['disk-full'])
  alerts.onStoreHealth('ok')
  assert.deepEqual(standing(), [])
  alerts.onStoreHealth('failed')
  assert.deepEqual(standing(), ['disk-failed'])
})
