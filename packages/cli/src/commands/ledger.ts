/** `byway ledger`: the books of the node or the client of this state folder. */
import type { Command } from 'commander'
import { isBywayError } from '@byway/protocol/base'
import type { NetworkParameters } from '@byway/protocol/directory'
import { CSV_HEADER, csvRows, reconcile, type LedgerSide } from '@byway/protocol/ledger'
import { cliError } from '../cli-errors.ts'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { loadConfig } from '../config/load-config.ts'
import { stateFolder } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import { openNetwork } from '../network/open-network.ts'
import { ledgerError } from '../ledger/ledger-errors.ts'
import type { ChainSide } from '../ledger/chain-side.ts'
import { entryJson, summaryJson } from '../ledger/ledger-json.ts'
import { ledgerTable } from '../ledger/ledger-table.ts'
import { readBooks, type OnPosted } from '../ledger/read-books.ts'
import { parseSince } from '../ledger/since.ts'
import type { PurseChain } from '../wallet/purse-chain.ts'
import { addViaClient } from '../wallet/via-client.ts'
import { walletError } from '../wallet/wallet-errors.ts'

type Flags = {
  readonly home?: string | undefined
  readonly network?: string | undefined
  readonly side?: string | undefined
  readonly since?: string | undefined
  readonly csv?: boolean | undefined
  readonly chain?: boolean | undefined
  readonly viaClient?: boolean | undefined
}

export function addLedgerCommand(program: Command, io: CliIo): void {
  const ledger = addCommand(program, {
    usage: 'ledger',
    summary: 'show the books: what was carried, paid, won and claimed, expected beside realised',
    details:
      'Reads the running node or client, or its store when it does not run. Changes nothing.\n' +
      '--csv prints every entry as RFC 4180, amounts in the smallest parts; --json prints an object for each entry and a summary last.',
    examples: [
      'byway ledger',
      'byway ledger --side node --since 7d',
      'byway ledger --side client --csv > books.csv',
      'byway ledger --chain',
      'byway ledger --json --since 2026-11-01 | tail -n 1',
    ],
  })
  addViaClient(ledger)
    .option('--side <side>', 'node or client (default: those that have books here)')
    .option('--since <time>', 'a day or time (UTC), or 24h, 7d, 4w: only what came after')
    .option('--csv', 'print every entry as CSV')
    .option('--chain', 'ask the chain as well, and say where it does not agree with the books')
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    .option('--network <file>', 'the network file, for the name and size of its money')
    .action((flags: Flags, command: Command) => showLedger(flags, contextOf(command, io)))
}

async function showLedger(flags: Flags, context: CommandContext): Promise<void> {
  const { io } = context
  const home = stateFolder(flags, io)
  const sides = sidesOf(flags)
  const sinceMs = flags.since === undefined ? 0 : parseSince(flags.since, io.nowMs())
  const network = await networkOf(flags, home, io)
  const open = openingOnce(home, flags.viaClient === true, context)
  let shown = 0
  for (const side of sides) {
    if (await showBooks({ home, side, sinceMs, network, open, flags }, context)) shown++
  }
  if (shown === 0) throw ledgerError('LEDGER_NO_BOOKS', {})
}

type Showing = {
  readonly home: string
  readonly side: LedgerSide
  readonly sinceMs: number
  readonly network: NetworkParameters | undefined
  readonly open: OpenChain
  readonly flags: Flags
}

/** Opens the network's chain, once for all sides. */
type OpenChain = (network: NetworkParameters) => Promise<PurseChain>

/** False when that side has no books here. */
async function showBooks(
  { home, side, sinceMs, network, open, flags }: Showing,
  { io, output }: CommandContext,
): Promise<boolean> {
  const isCsv = flags.csv === true
  let isHeaded = false
  const chain = flags.chain ? await chainSideOf({ home, side, network }, open) : undefined
  const onPosted: OnPosted = (event, lines) => {
    chain?.note(event)
    if (event.atMs < sinceMs) return
    if (isCsv) {
      if (!isHeaded) io.writeOut(CSV_HEADER)
      isHeaded = true
      io.writeOut(csvRows(event, lines, new Date(event.atMs).toISOString()))
    } else if (output.isJson) {
      output.result(entryJson(side, event, lines), '')
    }
  }
  const books = await readBooks(home, side, sinceMs, onPosted)
  if (!books) return false
  if (isCsv) {
    if (!isHeaded) io.writeOut(CSV_HEADER)
    return true
  }
  const found = chain && reconcile(books.ledger, await chain.find(io.signal))
  const money = network?.payment
  const winAmount = money?.winValue
  const unit = money && { symbol: money.tokenSymbol, decimals: money.tokenDecimals }
  const since = flags.since === undefined ? undefined : new Date(sinceMs).toISOString()
  const table = output.isJson ? '' : ledgerTable(books, { since, unit, winAmount, found })
  output.result(summaryJson(books, sinceMs, winAmount, found), table)
  return true
}

function sidesOf({ side, csv, chain }: Flags): readonly LedgerSide[] {
  if (csv && chain)
    throw cliError('CLI_USAGE', {
      problem: '--csv prints entries, --chain compares sums: one of them',
    })
  if (side === 'node' || side === 'client') return [side]
  if (side !== undefined) throw cliError('CLI_USAGE', { problem: '--side must be node or client' })
  if (csv) throw cliError('CLI_USAGE', { problem: '--csv needs --side node or --side client' })
  return ['node', 'client']
}

/** Loaded only when it is asked for, since the chain's library takes its time. */
async function chainSideOf(
  { home, side, network }: Pick<Showing, 'home' | 'side' | 'network'>,
  open: OpenChain,
): Promise<ChainSide> {
  const { createChainSide } = await import('../ledger/chain-side.ts')
  return createChainSide(home, side, network, open)
}

/** Through the client that runs with this state folder, or at the endpoints; says which. */
function openingOnce(home: string, viaClient: boolean, { io, output }: CommandContext): OpenChain {
  let opened: Promise<PurseChain> | undefined
  const open: OpenChain = async ({ payment, local: isLocal }) => {
    if (!payment) throw walletError('WALLET_NO_PAYMENT', {})
    const { openPurseChain } = await import('../wallet/purse-chain.ts')
    const say = (text: string): void => output.say(text)
    const told = {
      say,
      shows: 'that books are held against it, and whose where they are a node’s',
      viaClient,
    }
    return await openPurseChain({ home, payment, isLocal, ...told, signal: io.signal })
  }
  return (network) => (opened ??= open(network))
}

/** What the network says of its money. The books are shown without it, too. */
async function networkOf(
  flags: Flags,
  home: string,
  io: CliIo,
): Promise<NetworkParameters | undefined> {
  try {
    const settings = { networkFile: flags.network }
    const env = { ...io.env, BYWAY_HOME: home }
    const config = await loadConfig({ env, configPath: undefined, flags: settings })
    return await openNetwork({ home, config }, io)
  } catch (error) {
    const isMissing = isBywayError(error) && error.code === 'CONFIG_UNREADABLE'
    if (isMissing && flags.network === undefined) return undefined
    throw error
  }
}
