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
  assert.ok(told.every(({ text }) => text.length > 40))
})

test('what is said of an epoch is told once, with what to do', () => {
  const { alerts, told, standing } = worldOf()
  alerts.onProofs({ type: 'proof-missing', epoch: 7, code: 'ZK_NOT_MADE' })
  alerts.onProofs({ type: 'challenged', epoch: 7, deadlineS: 0 })
  alerts.onProofs({ type: 'epoch-lost', epoch: 7, held: 1n })
  alerts.onProofs({ type: 'epoch-failed', epoch: 7 })
  assert.ok(told.every(({ text }) => text.includes('epoch 7') && text.length > 40))
  assert.equal(told.length, 4)
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
