import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { DEFAULT_PARAMETERS } from '@byway/chain'
import {
  createPurse,
  formatAddress,
  formatVoucher,
  newWords,
  openPurse,
  parseAddress,
  parseWords,
} from '@byway/purse'
import { encode } from 'uqr'
import { openOwnStore } from '../../src/engine/own-store.ts'
import { nodeKeyOf } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPool, slotNullifier, u256Bytes } from '@byway/protocol/ticket'
import { formatAmount } from '../../src/wallet/amounts.ts'
import { fillFromFaucet } from '../../src/wallet/faucet.ts'
import { startByway } from '../running-byway.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { paidNetwork, type PaidTestNetwork } from './paid-network.ts'
import { asPerson, asScript, type Conversation } from './wallet-person.ts'

const PASSPHRASE = 'a passphrase for tests'
const STRANGER = '0x52908400098527886E0F7030069857D2E4169EE7'

type Row = Readonly<Record<string, unknown>>

/** JSON lines, the last first. */
function rows({ out }: Conversation): readonly Row[] {
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
    .toReversed()
}

type Party = {
  readonly home: string
  readonly env: Readonly<Record<string, string>>
  readonly words: string
  readonly owner: string
  readonly funds: string
  /** Runs a wallet command with --json and gives its last line. */
  wallet(...args: readonly string[]): Promise<Row>
  /** The same, for one that fails: its code. */
  fails(...args: readonly string[]): Promise<unknown>
}

test('a stranger gets from nothing to funded slots, a friend from a voucher, and words bring it back', async (t) => {
  const network = await paidNetwork(t)
  const folder = await temporaryHome(t)
  const pass = join(folder, 'pass')
  await writeFile(pass, PASSPHRASE, { mode: 0o600 })
  let parties = 0

  const party = (home: string, funds: string, words: string, owner: string): Party => {
    const env = { BYWAY_HOME: home, BYWAY_PASSPHRASE_FILE: pass }
    const run = (args: readonly string[]): Promise<Conversation> =>
      asScript(['wallet', ...args, '--json', '--network', network.file], env)
    return {
      home,
      env,
      words,
      owner,
      funds,
      async wallet(...args) {
        const done = await run(args)
        assert.equal(done.code, 0, `${args.join(' ')}: ${done.err}`)
        return rows(done)[0] ?? {}
      },
      async fails(...args) {
        const done = await run(args)
        assert.notEqual(done.code, 0, args.join(' '))
        return (rows(done)[0]?.['error'] as Row | undefined)?.['code']
      },
    }
  }

  // Cheap keystores, as all of a local network may have: dozens of commands each open one.
  const newcomer = async (): Promise<Party> => {
    const home = await temporaryHome(t)
    const words = join(folder, `words${++parties}`)
    const list = newWords()
    await writeFile(words, list.join(' '), { mode: 0o600 })
    const accounts = await createPurse(home, list, { passphrase: PASSPHRASE, cost: 'local' })
    const owner = accounts.owner ?? assert.fail('words lead to an owner')
    return party(home, formatAddress(accounts.funds), words, formatAddress(owner))
  }

  const alice = await newcomer()

  await t.test('deposits test money and says when it can be spent', async () => {
    const args = [
      'wallet',
      'deposit',
      '--slots',
      '4',
      '--local',
      '--json',
      '--network',
      network.file,
    ]
    const running = startByway(args, alice.env)
    const send = await running.event('send')
    assert.equal(send['address'], alice.funds)
    assert.equal(send['chainId'], 31_337)
    assert.equal(send['amount'], String(4n * 250_000n))
    assert.equal((await running.event('deposited'))['slots'], 4)
    await network.run(network.pool.snapshot())
    assert.equal(typeof (await running.event('usable'))['atS'], 'number')
    assert.equal(await running.ended, 0)
  })

  await t.test('shows it', async () => {
    const shown = await alice.wallet('show')
    assert.deepEqual(shown['deposits'], [
      {
        kind: 'deposit',
        number: 0,
        leaf: 0,
        limit: 100,
        isPastKnown: true,
        slots: 4,
        states: { none: 4 },
        rest: null,
      },
    ])
    assert.equal(shown['unused'], String(4n * 250_000n))
    assert.equal(shown['tokens'], '0')
    const text = await asScript(['wallet', 'show', '--network', network.file], alice.env)
    assert.match(text.out, /unused +1 tBYW in slots/)
  })

  await t.test('waits for money that comes from elsewhere, and gives up in time', async () => {
    assert.equal(await alice.fails('deposit', '--slots', '1', '--timeout', '0'), 'WALLET_NO_FUNDS')
    const asked = ['wallet', 'deposit', '--slots', '1', '--timeout', '0', '--network', network.file]
    const { err } = await asScript(asked, alice.env)
    for (const line of [
      /chain id 31337; no other chain/,
      /tBYW, 0x/,
      /tBYW for 1 slots/,
      /coin for gas/,
    ])
      assert.match(err, line)
    assert.match(err, new RegExp(`to +${alice.funds}`))
    assert.deepEqual(modulesShown(err), encode(alice.funds).data)
    const args = [
      'wallet',
      'deposit',
      '--slots',
      '1',
      '--no-wait',
      '--json',
      '--network',
      network.file,
    ]
    const running = startByway(args, alice.env)
    assert.equal((await running.event('waiting'))['tokens'], '250000')
    await network.run(network.token.mint(parseAddress(alice.funds), 250_000n))
    assert.equal((await running.event('deposited'))['slots'], 1)
    assert.equal(await running.ended, 0)
  })

  await t.test(
    'a voucher is spent by a friend, and refused once a slot of it was used',
    async () => {
      const friend = await newcomer()
      // Its line is there before a root holds the deposit: who stops then has it, and gets it again.
      const running = startByway(
        [
          'wallet',
          'voucher',
          'create',
          '--slots',
          '1',
          '--local',
          '--json',
          '--network',
          network.file,
        ],
        alice.env,
      )
      const { voucher, number } = await running.event('voucher')
      await running.kill()
      assert.equal(number, 0)
      assert.equal((await alice.wallet('voucher', 'show', '0'))['voucher'], voucher)
      assert.equal(await alice.fails('voucher', 'show', '1'), 'WALLET_VOUCHER_UNKNOWN')
      const file = join(folder, 'voucher')
      await writeFile(file, `${String(voucher)}\n`, { mode: 0o600 })
      const redeem = ['voucher', 'redeem', '--file', file]
      assert.deepEqual(await friend.wallet(...redeem), { event: 'redeemed', slots: 1, isNew: true })
      assert.equal((await friend.wallet(...redeem))['isNew'], false)
      const shown = (await friend.wallet('show'))['deposits'] as readonly Row[]
      assert.deepEqual(
        shown.map(({ kind, isPastKnown }) => [kind, isPastKnown]),
        [['redeemed', true]],
      )
      await network.run(network.pool.snapshot())
      // The friend takes the money out: a slot is used now.
      await network.giveCoin(parseAddress(friend.funds))
      assert.equal((await friend.wallet('withdraw', '--direct'))['begun'], 1)
      const late = await newcomer()
      assert.equal(await late.fails(...redeem), 'WALLET_VOUCHER_USED')
      await writeFile(file, formatVoucher(new Uint8Array(32).fill(7), network.payment))
      assert.equal(await late.fails(...redeem), 'WALLET_VOUCHER_UNKNOWN')
      await writeFile(
        file,
        String(voucher).replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')),
      )
      assert.equal(await late.fails(...redeem), 'PURSE_VOUCHER')
    },
  )

  await t.test('words find the deposits again, and vouch for none of them', async () => {
    const home = await temporaryHome(t)
    const words = parseWords(await readFile(alice.words, 'utf8'))
    const options = { passphrase: PASSPHRASE, cost: 'local', isRestored: true } as const
    const { funds } = await createPurse(home, words, options)
    assert.equal(formatAddress(funds), alice.funds)
    const again = party(home, alice.funds, alice.words, alice.owner)
    const deposits = (await again.wallet('show'))['deposits'] as readonly Row[]
    assert.deepEqual(
      deposits.map(({ kind, slots, isPastKnown }) => [kind, slots, isPastKnown]),
      [
        ['deposit', 4, false],
        ['deposit', 1, false],
        ['voucher', 1, false],
      ],
    )
    assert.equal(await again.fails('withdraw', '--direct'), 'WALLET_NOTHING')
  })

  await t.test('unused slots come back after the delay, those that were shown never', async () => {
    await markShown(network, alice)
    const begun = await alice.wallet('withdraw', '--direct', '--slots', '3')
    assert.deepEqual([begun['begun'], begun['finished'], begun['pending']], [3, 0, 3])
    assert.equal(begun['to'], alice.funds)
    await network.advance(601)
    const done = await alice.wallet('withdraw', '--direct', '--slots', '0')
    assert.deepEqual([done['begun'], done['finished'], done['pending']], [0, 3, 0])
    assert.equal((await alice.wallet('show'))['tokens'], String(3n * 250_000n))
    const rest = await alice.wallet('withdraw')
    assert.equal(rest['queued'], 1, 'one of five is in use, three are back')
    // A second proof of what goes through a relayer would burn its bond.
    assert.equal(await alice.fails('withdraw', '--direct'), 'WALLET_NOTHING')
  })

  await t.test('tokens go to another address only with consent and a whole checksum', async () => {
    const send = ['withdraw', '--from', 'balance', '--amount', '0.5', '--to']
    assert.equal(await alice.fails(...send, STRANGER.toLowerCase(), '--yes'), 'PURSE_ADDRESS')
    assert.equal(await alice.fails(...send, STRANGER), 'WALLET_NOT_CONFIRMED')
    const no = await asPerson(
      ['wallet', ...send, STRANGER, '--network', network.file],
      alice.env,
      () => 'y',
    )
    assert.equal(no.code, 77)
    assert.match(no.err, new RegExp(STRANGER))
    const sent = await alice.wallet(...send, STRANGER, '--yes')
    assert.equal(sent['amount'], '500000')
    const balance = await network.chain.view.tokenBalance(parseAddress(STRANGER), t.signal)
    assert.equal(balance, 500_000n)
    assert.equal(await alice.fails(...send.with(4, '9'), STRANGER, '--yes'), 'WALLET_AMOUNT')
  })

  await t.test(
    "the payout address changes with the owner's key, and not with the purse",
    async () => {
      const provider = await registerNode(network, alice)
      const set = ['payout', 'set', STRANGER, '--yes']
      assert.equal(await alice.fails(...set), 'CLI_USAGE')
      const other = await newcomer()
      await network.giveCoin(parseAddress(other.owner))
      assert.equal(await alice.fails(...set, '--words-file', other.words), 'CHAIN_REVERTED')
      const changed = await alice.wallet(...set, '--words-file', alice.words)
      assert.equal(changed['payout'], STRANGER)
      const before = await network.chain.view.registration(provider, t.signal)
      assert.equal(formatAddress(before?.payout ?? new Uint8Array()), alice.owner)
      const shown = await alice.wallet('show')
      const next = shown['payoutNext'] as Row
      assert.deepEqual([shown['payout'], next['to']], [alice.owner, STRANGER])
      assert.ok(Date.parse(String(next['from'])) > Date.now())
      await network.advance(8 * 86_400)
      const after = await network.chain.view.registration(provider, t.signal)
      assert.equal(formatAddress(after?.payout ?? new Uint8Array()), STRANGER)
      assert.equal((await alice.wallet('show'))['payoutNext'], null)
    },
  )

  await t.test(
    "a stake grows, comes free after its delay, and is the owner's again, with the owner's key",
    async () => {
      const stake = DEFAULT_PARAMETERS.minStake
      const owner = parseAddress(alice.owner)
      const own = ['--words-file', alice.words]
      const amount = formatAmount(stake, network.payment.tokenDecimals)
      assert.equal(await (await newcomer()).fails('stake', 'leave', '--yes'), 'WALLET_NO_STAKE')
      await network.run(network.token.mint(owner, stake))
      assert.equal(await alice.fails('stake', 'add', amount, ...own), 'WALLET_NOT_CONFIRMED')
      const added = await alice.wallet('stake', 'add', amount, ...own, '--yes')
      assert.equal(added['stake'], String(2n * stake))
      assert.equal(await alice.fails('stake', 'withdraw', ...own), 'WALLET_STAKE_BONDED')
      assert.equal(await alice.fails('stake', 'leave', '--yes'), 'CLI_USAGE', 'not by the purse')
      const left = await alice.wallet('stake', 'leave', ...own, '--yes')
      assert.equal(await alice.fails('stake', 'leave', ...own, '--yes'), 'WALLET_STAKE_LEAVES')
      assert.equal(await alice.fails('stake', 'add', '1', ...own, '--yes'), 'WALLET_STAKE_LEAVES')
      const shown = (await alice.wallet('show'))['stake']
      assert.deepEqual(shown, { amount: String(2n * stake), freeFrom: left['freeFrom'] })
      assert.equal((await alice.wallet('stake', 'withdraw', ...own))['withdrawn'], '0')
      await network.advance(DEFAULT_PARAMETERS.unbondingDelayS + 1)
      const back = await alice.wallet('stake', 'withdraw', ...own)
      assert.equal(back['withdrawn'], String(2n * stake))
      assert.equal(await network.chain.view.tokenBalance(owner, t.signal), 2n * stake)
      assert.equal(await alice.fails('stake', 'withdraw', ...own), 'WALLET_NO_STAKE')
    },
  )

  await t.test('says so where nothing is paid, and where test money cannot be made', async () => {
    const text = await readFile(network.file, 'utf8')
    const free = join(folder, 'free.toml')
    await writeFile(free, text.slice(0, text.indexOf('[payment]')))
    const args = ['wallet', 'show', '--json', '--network', free]
    assert.match((await asScript(args, alice.env)).out, /WALLET_NO_PAYMENT/)
    const real = { ...network.payment, chainId: 1 }
    const deps = { chain: network.chain, payment: real, tokenCalls: network.token }
    await assert.rejects(
      fillFromFaucet(deps, parseAddress(alice.funds), 1n, AbortSignal.timeout(60_000)),
      { code: 'WALLET_NOT_LOCAL' },
    )
  })

  await t.test(
    'nothing but the keystore and the journals is in the state folder, and no key in them',
    async () => {
      const text = await readFile(join(alice.home, 'purse.json'), 'utf8')
      const words = (await readFile(alice.words, 'utf8')).trim()
      assert.equal(text.includes(words), false)
      assert.equal(text.includes(PASSPHRASE), false)
    },
  )
})

/** The modules of the QR code on the screen, two rows a line, dark as a camera sees them: on a terminal what is drawn is light. */
function modulesShown(screen: string): readonly (readonly boolean[])[] {
  const lines = screen.split('\n').filter((line) => /^[█▀▄ ]{25,}$/.test(line))
  const dark = { upper: ' ▄', lower: ' ▀' }
  return lines
    .flatMap((line) =>
      [dark.upper, dark.lower].map((set) => line.split('').map((one) => set.includes(one))),
    )
    .slice(0, lines[0]?.length)
}

/** Writes the first slot of the second deposit into the client's journal, as a client that shows it does. */
async function markShown({ payment }: PaidTestNetwork, { home }: Party): Promise<void> {
  await using purse = await openPurse(home, { passphrase: PASSPHRASE, isLocal: true })
  await using store = await openOwnStore(home, 'client')
  const { chainId, pool: address, winValue: faceValue, winsPerSlot, bond, unit } = payment
  const terms = { chainId, pool: address, faceValue, winsPerSlot, bond, unit }
  const pool = createPool(nodeTicketCrypto, terms)
  const { secret } = await purse.depositOwner(1)
  const nullifier = u256Bytes(slotNullifier(nodeTicketCrypto, pool, secret, 0))
  const [root, sessionKey] = [new Uint8Array(32), new Uint8Array(20).fill(1)]
  const opening = { root, nullifier, sessionKey, receiptKey: root, proof: new Uint8Array(0) }
  const place = {
    hop: nodeKeyOf(new Uint8Array(32).fill(1)),
    use: 'link',
    standing: 'shown',
  } as const
  await store.slots.put({ nullifier, ...place, shownAtS: 0, opening, floor: 0 })
}

/** Gives the owner what registering takes, and registers. */
async function registerNode(network: PaidTestNetwork, party: Party): Promise<Uint8Array> {
  const owner = parseAddress(party.owner)
  const stake = DEFAULT_PARAMETERS.minStake
  const amount = formatAmount(stake, network.payment.tokenDecimals)
  const register = ['register', '05'.repeat(32), '--stake', amount, '--words-file', party.words]
  assert.equal(await party.fails(...register), 'WALLET_NOT_CONFIRMED')
  assert.equal(await party.fails(...register, '--yes'), 'WALLET_AMOUNT')
  await network.run(network.token.mint(owner, stake))
  assert.equal(await party.fails(...register, '--yes'), 'CHAIN_NO_COIN')
  await network.giveCoin(owner)
  const { provider, payout } = await party.wallet(...register, '--yes')
  assert.equal(payout, party.owner)
  return parseAddress(String(provider))
}
