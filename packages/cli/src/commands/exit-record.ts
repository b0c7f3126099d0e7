/** `byway exit record`: was an address an exit of this network, by the signed records of several nodes (SPEC §10.6). */
import type { Command } from 'commander'
import { findExitRecord, type ExitWitness } from '@byway/client'
import { exitPageS, toIpBytes, type NetworkParameters } from '@byway/protocol/directory'
import { formatAddress, parseAddress, type IpAddress } from '@byway/protocol/policy'
import { cliError } from '../cli-errors.ts'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import { stateFolder } from '../engine/engine-options.ts'
import { openPlaceBooks } from '../engine/place-books.ts'
import type { CliIo } from '../io.ts'
import { openNetwork } from '../network/open-network.ts'
import type { JsonObject, Output } from '../output.ts'
import { judgeEvidence, readEvidence, writeEvidence } from '../record/evidence-file.ts'
import { openKnownHeads } from '../record/known-heads.ts'
import {
  answerOf,
  type AnsweredExit,
  type RecordAnswer,
  type ShownBy,
} from '../record/record-answer.ts'
import { recordError } from '../record/record-errors.ts'
import { readWitnessStakes } from '../record/witness-stakes.ts'

type Flags = {
  readonly home?: string | undefined
  readonly network?: string | undefined
  readonly at?: string | undefined
  readonly evidence?: string | undefined
  readonly verify?: string | undefined
}

export function addRecordCommand(exit: Command, io: CliIo): void {
  addCommand(exit, {
    usage: 'record [address]',
    summary: 'was this address an exit, and when: the signed records of several nodes',
    details:
      'Asks some nodes of the directory, each of another home; they see who asks, and for which address. A record names an exit under the addresses of its own signed descriptor, once its\n' +
      'keeper has reached it there: who names none, or another’s, is in no record. Both answers end with exit code 0; when nobody has kept that time, it is 69. Evidence is checked without a network; what does not hold ends with 76.',
    examples: [
      'byway exit record 203.0.113.7 --at 2026-11-01T12:00Z',
      'byway exit record 203.0.113.7 --evidence case-7.json',
      'byway exit record --verify case-7.json --json',
    ],
  })
    .option('--at <time>', 'a time, as 2026-11-01T12:00Z (default: any that is kept)')
    .option('--evidence <file>', 'write what was shown to a new file')
    .option('--verify <file>', 'check such a file instead of asking')
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    .option('--network <file>', 'the network file (default: network.toml in the state folder)')
    .action((address: string | undefined, flags: Flags, command: Command) =>
      flags.verify === undefined
        ? askRecord(address, flags, contextOf(command, io))
        : verifyRecord(address, flags, flags.verify, contextOf(command, io)),
    )
}

async function askRecord(
  text: string | undefined,
  flags: Flags,
  { io, output }: CommandContext,
): Promise<void> {
  const ip = addressOf(text)
  const atS = flags.at === undefined ? undefined : timeOf(flags.at, io.nowMs())
  const home = stateFolder(flags, io)
  const { network, config } = await settingOf(flags, home, io)
  const isLocal = network.local
  const { books: places } = await openPlaceBooks({
    config: config.place,
    home,
    isLocal,
    nowMs: io.nowMs(),
  })
  const stakes = await readWitnessStakes({ home, network, output, io })
  const pageS = exitPageS(network)
  const known = await openKnownHeads(home)
  const witnesses: ExitWitness[] = []
  const knownHead = (witness: Uint8Array): Uint8Array | undefined => known.get(witness)
  const address = toIpBytes(ip)
  const asked = { network, places, stakes, address, atS, pageS, knownHead, random: Math.random }
  for await (const witness of findExitRecord({ ...asked, nowMs: io.nowMs, signal: io.signal })) {
    witnesses.push(witness)
    const newest = witness.heads.at(-1)
    if (newest && witness.chain.result === 'holds') known.set(witness.nodeId, newest)
  }
  const shown = { address: formatAddress(ip), atS, pageS }
  if (flags.evidence !== undefined) await writeEvidence(flags.evidence, network, shown, witnesses)
  await known.save()
  tell(output, shown.address, answerOf(witnesses, atS, pageS), {
    asked: witnesses.length,
    areStaked: stakes !== undefined,
  })
}

async function verifyRecord(
  text: string | undefined,
  flags: Flags,
  path: string,
  { io, output }: CommandContext,
): Promise<void> {
  if (flags.evidence !== undefined)
    throw cliError('CLI_USAGE', { problem: '--verify and --evidence do not go together' })
  const evidence = await readEvidence(path)
  if (text !== undefined && formatAddress(addressOf(text)) !== evidence.address)
    throw cliError('CLI_USAGE', { problem: `the evidence is of ${evidence.address}` })
  const atS = flags.at === undefined ? evidence.atS : timeOf(flags.at, io.nowMs())
  const testimony = judgeEvidence(evidence)
  tell(output, evidence.address, answerOf(testimony, atS, evidence.pageS), {
    asked: testimony.length,
    areStaked: false,
  })
  output.say(
    'whose nodes the witnesses are, a file does not prove: look for their ids in the registry',
  )
}

/** Who was asked. */
type Asked = {
  readonly asked: number
  /** The registry has a stake of each. */
  readonly areStaked: boolean
}

/** @throws RECORD_UNKNOWN */
function tell(output: Output, address: string, found: RecordAnswer, who: Asked): void {
  for (const { witness, fault } of found.contradicting)
    output.say(`node ${witness} contradicts itself (${fault}): nothing that it shows is counted`)
  if (found.answer === 'unknown') throw recordError('RECORD_UNKNOWN', { asked: who.asked })
  output.result(answerJson(address, found, who), answerText(address, found))
}

function answerJson(address: string, found: RecordAnswer, { asked, areStaked }: Asked): JsonObject {
  const { answer, covering, exits, contradicting } = found
  return {
    address,
    answer,
    asked,
    staked: areStaked,
    covering,
    exits: exits.map(({ nodeId, fromS, untilS, witnesses, signed, shown }) => ({
      node: nodeId,
      from: isoOf(fromS),
      until: isoOf(untilS),
      witnesses,
      signed,
      shown: shown.map(({ witness, page }) => ({
        witness,
        page: page ? { ...page, closed: isoOf(page.closedS) } : null,
      })),
    })),
    contradicting: contradicting.map(({ witness, fault }) => ({ witness, fault })),
  }
}

function answerText(address: string, { answer, exits, covering }: RecordAnswer): string {
  if (answer === 'no')
    return `no: ${address} is in none of ${covering} records that were kept of that time`
  return [`yes: ${address} was an exit`, ...exits.map(exitText)].join('\n')
}

function exitText({ nodeId, fromS, untilS, witnesses, signed, shown }: AnsweredExit): string {
  const by = `by ${witnesses} ${witnesses === 1 ? 'witness' : 'independent witnesses'}`
  const pages = signed === witnesses ? 'on signed pages' : `${signed} of them on a signed page`
  const line = `  from ${isoOf(fromS)} to ${isoOf(untilS)} as node ${nodeId}, ${by}, ${pages}`
  return [line, ...shown.map(shownText)].join('\n')
}

function shownText({ witness, page }: ShownBy): string {
  const where = page
    ? `page ${page.number}, closed ${isoOf(page.closedS)}, root ${page.root}`
    : 'on no page yet: the exit’s own signed words'
  return `    ${witness}: ${where}`
}

function isoOf(timeS: number): string {
  return new Date(timeS * 1000).toISOString().replace('.000', '')
}

/** @throws CLI_USAGE */
function addressOf(text: string | undefined): IpAddress {
  const ip = text === undefined ? undefined : parseAddress(text)
  if (!ip) throw cliError('CLI_USAGE', { problem: 'name an IP address, or a file with --verify' })
  return ip
}

/** Seconds. @throws CLI_USAGE */
function timeOf(text: string, nowMs: number): number {
  const atMs = TIME.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(atMs) || atMs <= 0)
    throw cliError('CLI_USAGE', { problem: `${text} is no time: write 2026-11-01T12:00Z` })
  if (atMs > nowMs) throw cliError('CLI_USAGE', { problem: `${text} is still to come` })
  return Math.floor(atMs / 1000)
}

/** With a zone: a time of day without one would mean another moment on another machine. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/

async function settingOf(
  flags: Flags,
  home: string,
  io: CliIo,
): Promise<{ readonly network: NetworkParameters; readonly config: Config }> {
  const env = { ...io.env, BYWAY_HOME: home }
  const settings = { networkFile: flags.network }
  const config = await loadConfig({ env, configPath: undefined, flags: settings })
  return {
    config,
    network: await openNetwork({ home, config }, io),
  }
}
