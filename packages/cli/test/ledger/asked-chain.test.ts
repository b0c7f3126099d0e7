/** Whom `byway ledger --chain` asks for what (SPEC §15.9): those who are asked about the node's account hear nothing else, and the chain is opened once it is needed. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ChainEvent, ChainNews } from '@byway/chain'
import type { NetworkParameters } from '@byway/protocol/directory'
import type { LedgerSide } from '@byway/protocol/ledger'
import { createLocalPurse } from '@byway/purse'
import { createChainSide } from '../../src/ledger/chain-side.ts'
import type { PurseChain } from '../../src/wallet/purse-chain.ts'
import { TEST_PAYMENT } from '../../../protocol/test/directory/payment-parameters.ts'
import { temporaryHome } from '../spawn-byway.ts'

const HASH = `0x${'0'.repeat(64)}` as const
const HEAD = { number: 100, hash: HASH, timeS: 7 }
const SLOT = new Uint8Array(32).fill(7)

function wonBy(provider: Uint8Array, nullifier: Uint8Array, logIndex: number): ChainNews {
  const place = { block: 9, blockHash: HASH, transaction: HASH, logIndex }
  const event: ChainEvent = {
    ...place,
    name: 'won',
    nullifier,
    provider,
    index: 3,
    wins: 1,
    paid: 1n,
  }
  return { type: 'event', event }
}

async function setUp(t: TestContext, side: LedgerSide) {
  const home = await temporaryHome(t)
  const { provider } = await createLocalPurse(home)
  const asked: string[] = []
  const stranger = new Uint8Array(20).fill(9)
  async function* events(): AsyncGenerator<ChainNews> {
    asked.push('nobody: events')
    yield wonBy(provider, SLOT, 0)
    yield wonBy(stranger, new Uint8Array(32), 1)
    yield { type: 'head', isNewest: true, head: HEAD }
  }
  const open = async (): Promise<PurseChain> => {
    asked.push('opened')
    const view = { head: async () => HEAD, events }
    const chainOf = (account: string) => ({
      view: {
        credit: async () => (asked.push(`${account}: credit`), 40n),
        registration: async () => (asked.push(`${account}: registration`), undefined),
      },
    })
    return { chain: { view }, chainOf, isThrough: true } as unknown as PurseChain
  }
  const network: NetworkParameters = {
    name: 'nowhere',
    local: true,
    bootstrap: [],
    exitTargets: [],
    reachablePrefixes: [],
    asnTable: [],
    payment: TEST_PAYMENT,
  }
  return { asked, books: createChainSide(home, side, network, open) }
}

test('the node’s account is asked about where no other is', async (t) => {
  const { asked, books } = await setUp(t, 'node')
  assert.deepEqual(asked, [])
  const found = await books.find(t.signal)
  assert.deepEqual(asked, [
    'opened',
    'nobody: events',
    'provider: credit',
    'provider: registration',
  ])
  assert.deepEqual(
    found.filter(({ name }) => name === 'paid' || name === 'purse').map(({ amount }) => amount),
    [1n, 40n],
  )
})

test('of a client’s slots all events are read, and no account is asked about', async (t) => {
  const { asked, books } = await setUp(t, 'client')
  const id = `slot:${'07'.repeat(32)}`
  books.note({ id, type: 'slot-shown', hop: '11'.repeat(32), amount: 1n, atMs: 1 })
  const [wins] = await books.find(t.signal)
  assert.deepEqual(asked, ['opened', 'nobody: events'])
  assert.equal(wins?.amount, 1n)
})
