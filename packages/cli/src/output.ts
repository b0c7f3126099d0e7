/**
 * How `byway` speaks (docs/CLI.md): data on stdout, as one JSON object per line under `--json`; everything for people on stderr as
 * `byway: …`, lower case, no full stop, hints on lines of their own.
 */
import { isBywayError, type BywayError } from '@byway/protocol/base'
import { isSystemError } from './exit-codes.ts'
import type { CliIo } from './io.ts'

/** Anything that JSON can hold. */
export type JsonObject = { readonly [key: string]: JsonValue | undefined }
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

export interface Output {
  readonly isJson: boolean
  /** The command's answer: the object under `--json`, else the text. */
  result(value: JsonObject, text: string): void
  /** A line for people. */
  say(text: string): void
  hint(text: string): void
  /** An error for both: an `error` object on stdout under `--json`, and the text with its hints. */
  fail(error: unknown): void
}

/** What can be done about an error, by its code. */
const HINTS: Readonly<Record<string, string>> = {
  CHAIN_CONTRACT: 'look at the address, and at which chain the endpoints serve',
  CHAIN_DEVELOPMENT_SET_UP: 'docs/CEREMONY.md says how keys are made that nobody can forge with',
  CHAIN_ENDPOINTS: 'name a second endpoint, of another owner: none is believed alone',
  CHAIN_GAS_DEAR: 'wait until gas is cheaper, and run it again',
  CHAIN_NO_COIN:
    'send some of the chain’s own coin to the account that pays, and run it again: `byway wallet show` names them; stake and payout are the owner’s',
  CHAIN_NO_TOKEN: 'name it with --token',
  CHAIN_UNSIGNED:
    'the purse signs away so much for gas in a day (UTC) and no more (docs/LIMITS.md, DAY_GAS_WEI); or its signer is being started again: run it again later',
  CLI_USAGE: 'run `byway --help` for the commands and examples',
  CONFIG_UNKNOWN_KEY:
    'byway.example.toml lists every setting; variables are BYWAY_ and the key path',
  CONFIG_VALUE: 'byway.example.toml shows every setting with its default',
  CONFIG_UNREADABLE: 'look at the path, and at who may read it',
  CONSENT_MISSING: 'run `byway exit enable` in a terminal',
  CONSENT_NOT_INTERACTIVE:
    'run `byway exit enable` yourself, in a terminal, outside scripts and CI',
  CONTROL_ALREADY_RUNNING: 'stop it first, or choose another state folder with --home',
  CONTROL_NOT_RUNNING:
    'start it with `byway up` or `byway node`, or name its state folder with --home',
  CONTROL_PATH_TOO_LONG: 'choose a shorter state folder with --home or BYWAY_HOME',
  DIRECTORY_INCOMPLETE:
    'run it again: other nodes are asked each time; if it goes on, look at this machine’s clock, the network file and the endpoints of the chain',
  DIRECTORY_OLD: 'look at this machine’s clock and its connection; it goes on once a guard answers',
  ENTRY_UNREACHABLE:
    'look at the connection and at firewalls, and whether the network file is the newest; run it again',
  HOME_FILE_OPEN: 'chmod 600 the file; if it holds a key, others may have read it',
  HOME_NOT_OWNED: 'set BYWAY_HOME to a folder of your own',
  HOME_UNUSABLE: 'set BYWAY_HOME to a folder that you may write',
  LEDGER_NO_BOOKS:
    'books begin when a node or a client of a paid network runs; name its state folder with --home',
  NETWORK_EXPIRED: 'get the next edition of the network file, and look at this machine’s clock',
  NETWORK_FEW_CONTACTS:
    'its publisher names more, of different prefixes, or says that it is a test network (docs/CLI.md, “The network file”)',
  NETWORK_KEY:
    'name the file that `byway network keygen` has written, not the one that ends in .pub',
  NETWORK_KEY_PASSPHRASE:
    'type it again; without it a new key is needed (docs/CLI.md, “Publishing a network”)',
  NETWORK_PUBLISHER_DAMAGED:
    'put it back from a copy of the state folder; if you remove it, the next network file of that name decides whom to believe',
  NETWORK_PUBLISHER:
    'do not use it before its publisher says by another way that the key is new: then use the edition that hands over to it, or remove network-NAME.publisher',
  NETWORK_ROLLBACK: 'get the newest edition; its publisher raises the sequence with each change',
  NETWORK_SIGNATURE: 'fetch the file and its .minisig again, both of one edition, byte for byte',
  NETWORK_UNSIGNED:
    'put the .minisig that comes with it beside it; who makes a network signs its file: `byway network sign`',
  PLACE_DAMAGED: 'fetch it again, whole, and unpack it: it ends in .mmdb (docs/PLACE.md)',
  PLACE_NOTHING: 'name databases of countries, cities or AS numbers (docs/PLACE.md)',
  PLACE_UNREADABLE: 'look at --place-database or [place] databases, and at who may read the file',
  PROOF_FALSE:
    'do not count what it says; a challenge makes its maker prove it on the chain or lose its stake',
  PROOF_CHAIN_AWAY:
    'try again when it answers; --no-chain checks the form alone, which anybody can make',
  PROOF_FILE: 'fetch it again, whole; it belongs to a version of byway that reads this form',
  RECORD_UNKNOWN: 'ask again: other nodes are asked each time; records are kept for 400 days',
  RECORD_FALSE: 'do not rely on it; ask anew for evidence of your own',
  RECORD_FILE: 'name a file that `byway exit record --evidence FILE` has written',
  PROOF_UNKNOWN_NODE: 'name it by its account, 0x and forty hexadecimal digits',
  PROOF_NO_COMMITMENT: 'look at --epoch: a node commits within the commit window after its end',
  PROOF_CHALLENGED: 'run it again when the answer window is over',
  PROOF_HOLDS: '--anyway challenges it all the same; the bond is the node’s then',
  PROOF_NO_BEACON:
    'a node draws it by itself some hours after the commit window; what was not drawn in four hours never is',
  PROOF_NOT_SHOWN:
    'its node may sleep: try again later. `byway proof challenge` makes it prove on the chain, for a bond',
  PROOF_NO_EPOCHS: 'its network file has no epoch in [payment]',
  PROOF_NO_RECEIPTS: 'look at --epoch and --home; receipts of the last six epochs are kept',
  PROOF_OTHER_RECEIPTS:
    'put the newest copy of the store back: a challenge that is not answered takes the stake',
  PROOF_TOO_EARLY: 'wait for its end: its receipts may still grow',
  PURSE_ADDRESS:
    'copy the address whole, with its capital and small letters: they are its checksum',
  PURSE_EXISTS: 'move purse.json away (keep it safe), or choose another state folder with --home',
  PURSE_KEYSTORE_WEAK:
    'change its passphrase with `byway wallet passphrase`, or make another purse',
  PURSE_MISSING: 'make one with `byway wallet create`, or `byway wallet restore`',
  PURSE_PASSPHRASE_WRONG: 'type it again; the words make a new purse with the same money',
  PURSE_PASSPHRASE_WEAK: 'take four words or more that nobody would guess together',
  PURSE_WORDS_CHECKSUM: 'one word is another than written down, or two are swapped',
  PURSE_WORD_UNKNOWN: 'look at that word on paper; all are English, of three to eight letters',
  RUN_PORT_TAKEN: 'stop the program that listens there, or choose another port with --port',
  RUN_STORE_KEY:
    'put back <side>-store.key from a copy of the state folder; without it records cannot be told from forged ones',
  RUN_SINGLE_HOP: 'use --hops 2 or --hops 3',
  PURSE_VOUCHER: 'copy the whole line, from byway-voucher-1- on; it belongs to one network',
  STORE_LOCKED: 'stop the client or node of this state folder first: `byway down`',
  WALLET_CLIENT_RUNS: 'stop the client of this state folder first: `byway down`',
  WALLET_CLIENT_STARTING:
    'wait until `byway status` says running; with no client the endpoints are asked directly',
  WALLET_NO_CLIENT:
    'start one with `byway up`; without --via-client the endpoints of the chain are asked, and see this machine',
  WALLET_NO_FUNDS: 'nothing is lost: run the command again, it finds what has arrived meanwhile',
  WALLET_NO_STAKE: '`byway wallet register` puts one down',
  WALLET_STAKE_BONDED: '`byway wallet stake leave` first; it comes free after the registry’s delay',
  WALLET_STAKE_LEAVES: '`byway wallet stake withdraw` brings it back once it is free',
  WALLET_NO_PAYMENT: 'name a network file with a [payment] table with --network',
  WALLET_NOT_CONFIRMED: 'type yes, or add --yes where nobody can be asked',
  WALLET_NOTHING: '`byway wallet show` says where the money is',
  WALLET_PASSPHRASE_MISSING:
    'name a file (mode 0600) with BYWAY_PASSPHRASE_FILE, or use a terminal; never an argument',
  ZK_NOT_MADE: 'make them once, in some minutes: npm run zk -- service-audit',
  ZK_SMALL_MACHINE: 'make it on another machine, from a copy of the state folder',
  ZK_NO_OPENING:
    'this epoch cannot be proved any more: showings are kept for thirty days from the first',
  WALLET_WORDS_UNSEEN: 'run this in a terminal, or name a new file with --words-file',
}

export function createOutput(io: CliIo, isJson: boolean): Output {
  const say = (text: string): void => io.writeErr(`byway: ${text}\n`)
  const hint = (text: string): void => io.writeErr(`hint: ${text}\n`)
  const json = (value: JsonObject): void => io.writeOut(`${JSON.stringify(value)}\n`)
  return {
    isJson,
    say,
    hint,
    result: (value, text) => (isJson ? json(value) : io.writeOut(`${text}\n`)),
    fail: (error) => {
      const { hint: advice, ...fields } = describeError(error)
      if (isJson) json({ error: { ...fields, hint: advice } })
      say(fields.message)
      if (advice !== undefined) hint(advice)
    },
  }
}

type ErrorFields = {
  readonly code: string
  readonly kind: string
  readonly message: string
  readonly hint: string | undefined
}

/** Only what is meant for people and scripts: a foreign error's message may hold anything, so its code or name stands for it. */
function describeError(error: unknown): ErrorFields {
  if (isBywayError(error)) {
    const { code, kind, context } = error
    const message = code === 'CLI_USAGE' ? fieldOf(context, 'problem') : detailedOf(error)
    const hint = fieldOf(context, 'hint') ?? HINTS[code] ?? kindHint(kind)
    return { code, kind, message: message ?? error.message, hint }
  }
  if (isSystemError(error)) {
    return {
      code: error.code,
      kind: 'local',
      message: `the system refused: ${error.code}`,
      hint: undefined,
    }
  }
  const name = error instanceof Error ? error.name : typeof error
  return {
    code: 'UNEXPECTED',
    kind: 'bug',
    message: `bug in byway: unexpected ${name}`,
    hint: kindHint('bug'),
  }
}

/** Where the message alone does not say what to do: a field of the context, in words of ours. */
const DETAILS: Readonly<Record<string, string>> = {
  CHAIN_REVERTED: 'reason',
  PURSE_ADDRESS: 'problem',
  PURSE_VOUCHER: 'problem',
  WALLET_AMOUNT: 'problem',
}

function detailedOf({ code, message, context }: BywayError): string | undefined {
  const detail = fieldOf(context, DETAILS[code] ?? '')
  return detail === undefined ? undefined : `${message}: ${detail}`
}

function fieldOf(context: unknown, name: string): string | undefined {
  const value: unknown = Object.entries(context ?? {}).find(([key]) => key === name)?.[1]
  return typeof value === 'string' ? value : undefined
}

function kindHint(kind: string): string | undefined {
  return kind === 'bug' ? 'please report this, with the command and its version' : undefined
}
