import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PaymentParameters } from '@byway/protocol/directory'
import { formatNetworkFile, parseNetworkFile } from '../../src/config/network-file.ts'
import { paymentTable, PLACES } from '../network-text.ts'

const POOL = `0x${PLACES.pool}`
const TABLE = paymentTable({
  deploy_block: 7,
  bond: '50000',
  token_symbol: 'USDC',
  token_decimals: 6,
  epoch: 604_800,
})
const FILE = `name = "main"\n${TABLE}`
const LOCAL = `name = "main"\nlocal = true\n${TABLE}`

test('reads how a network is paid (SPEC §13)', () => {
  assert.deepEqual(parseNetworkFile(FILE).payment, {
    chainId: 31_337,
    rpcUrls: ['https://one.example/key', 'https://two.example'],
    pool: new Uint8Array(20).fill(0xa1),
    registry: new Uint8Array(20).fill(0xb2),
    token: new Uint8Array(20).fill(0xc3),
    authoriser: new Uint8Array(20).fill(0xd4),
    deployBlock: 7,
    winValue: 100_000n,
    winsPerSlot: 2,
    bond: 50_000n,
    unit: 10_000n,
    tokenSymbol: 'USDC',
    tokenDecimals: 6,
    issueDelayS: 15,
    rootIntervalS: 3600,
    rootMaxAgeS: 86_400,
    lockS: 3600,
    refundDelayS: 43_200,
    closeDelayS: 259_200,
    confirmations: 12,
    proofs: { epochS: 604_800 },
  })
})

test('takes a network without the table as one where nothing is paid', () => {
  assert.equal('payment' in parseNetworkFile('name = "main"'), false)
})

test('takes one endpoint, and http, in a local network', () => {
  const rpc = '["http://127.0.0.1:8545"]'
  const file = LOCAL.replace(/rpc = .*/, `rpc = ${rpc}`)
  assert.deepEqual(parseNetworkFile(file).payment?.rpcUrls, ['http://127.0.0.1:8545'])
})

test('takes http to a node on this machine beside another endpoint', () => {
  const rpc = '["http://127.0.0.1:8545", "https://two.example"]'
  assert.ok(parseNetworkFile(FILE.replace(/rpc = .*/, `rpc = ${rpc}`)).payment)
})

const RPC = /rpc = .*/
const ON_LOCAL = LOCAL.replace(RPC, 'rpc = ["http://127.0.0.1:8545"]')
const BAD: readonly (readonly [what: string, text: string, key: string])[] = [
  [
    'one endpoint in a public network',
    FILE.replace(RPC, 'rpc = ["https://one.example"]'),
    'payment.rpc',
  ],
  [
    'two endpoints of one host in a public network',
    FILE.replace(RPC, 'rpc = ["https://one.example/a", "https://one.example/b"]'),
    'payment.rpc',
  ],
  [
    'http across the internet',
    FILE.replace(RPC, 'rpc = ["http://one.example", "https://two.example"]'),
    'payment.rpc',
  ],
  ['an endpoint elsewhere in a local network', LOCAL, 'payment.rpc'],
  ['another chain in a local network', ON_LOCAL.replace('31337', '8453'), 'payment.chain_id'],
  ['no endpoint', FILE.replace(RPC, 'rpc = []'), 'payment.rpc'],
  [
    'a web socket',
    FILE.replace(RPC, 'rpc = ["wss://one.example", "https://two.example"]'),
    'payment.rpc.0',
  ],
  ['a user name in an endpoint', FILE.replace('https://two', 'https://me:pw@two'), 'payment.rpc.1'],
  ['an address of 19 bytes', FILE.replace(POOL, POOL.slice(0, -2)), 'payment.pool'],
  ['the zero address', FILE.replace(POOL, `0x${'00'.repeat(20)}`), 'payment.pool'],
  ['a bond that does not divide a slot', FILE.replace('"50000"', '"50001"'), 'payment.bond'],
  [
    'a unit that does not divide the bond',
    FILE.replace('unit = 10000', 'unit = 10001'),
    'payment.unit',
  ],
  ['a bond of nothing', FILE.replace('"50000"', '0'), 'payment.bond'],
  ['an amount above u96', FILE.replace('"50000"', `"${2n ** 96n}"`), 'payment.bond'],
  ['an amount with a sign', FILE.replace('"50000"', '"-5"'), 'payment.bond'],
  [
    'a slot without wins',
    FILE.replace('wins_per_slot = 2', 'wins_per_slot = 0'),
    'payment.wins_per_slot',
  ],
  ['a delay below zero', FILE.replace('lock = 3600', 'lock = -1'), 'payment.lock'],
  [
    'no confirmation',
    FILE.replace('confirmations = 12', 'confirmations = 0'),
    'payment.confirmations',
  ],
  ['an unknown key', `${FILE}fee = 5\n`, 'payment.fee'],
]
for (const [what, text, key] of BAD) {
  test(`refuses ${what}, and names the key`, () => {
    assert.throws(
      () => parseNetworkFile(text),
      (error: { kind: string; context: { key: string } }) => {
        assert.deepEqual([error.kind, error.context.key], ['config', key])
        return true
      },
    )
  })
}

test('writes the payment that it reads, amounts above 2^53 too', () => {
  const address = fc
    .uint8Array({ minLength: 20, maxLength: 20 })
    .filter((bytes) => bytes.some(Boolean))
  const delay = fc.integer({ min: 0, max: 366 * 86_400 })
  const payment: fc.Arbitrary<PaymentParameters> = fc
    .record({
      bond: fc.bigInt({ min: 1n, max: 2n ** 80n }),
      factor: fc.bigInt({ min: 1n, max: 100n }),
    })
    .chain(({ bond, factor }) =>
      fc.record({
        chainId: fc.integer({ min: 1, max: 2 ** 48 }),
        rpcUrls: fc.constant(['http://127.0.0.1:8545', 'https://two.example']),
        pool: address,
        registry: address,
        token: address,
        authoriser: address,
        deployBlock: fc.nat(),
        winValue: fc.constant(bond * factor),
        winsPerSlot: fc.integer({ min: 1, max: 255 }),
        bond: fc.constant(bond),
        unit: fc.constant(bond),
        tokenSymbol: fc.stringMatching(/^[A-Za-z0-9.-]{1,12}$/),
        tokenDecimals: fc.integer({ min: 0, max: 36 }),
        issueDelayS: delay,
        rootIntervalS: delay,
        rootMaxAgeS: delay,
        lockS: delay,
        refundDelayS: delay,
        closeDelayS: delay,
        confirmations: fc.integer({ min: 1, max: 10_000 }),
      }),
    )
  const base = parseNetworkFile('name = "test"')
  fc.assert(
    fc.property(payment, (value) => {
      const back = parseNetworkFile(formatNetworkFile({ ...base, payment: value }))
      assert.deepEqual(back.payment, structuredClone(value))
    }),
  )
})

test('reads who judges service proofs, and wants epochs with it (SPEC §17.5)', () => {
  const address = `0x${'e5'.repeat(20)}`
  const text = `${FILE}service_proofs = "${address}"\n`
  const network = parseNetworkFile(text)
  assert.deepEqual(network.payment?.proofs, {
    epochS: 604_800,
    contract: new Uint8Array(20).fill(0xe5),
  })
  assert.deepEqual(parseNetworkFile(formatNetworkFile(network)), network)
  assert.throws(() => parseNetworkFile(text.replace(/epoch = .*\n/, '')), /needs epoch/)
})
