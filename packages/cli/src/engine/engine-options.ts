/** The options that every command with an engine takes, and what they lead to: state folder, configuration, network file, log, the signal to stop. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { openHome } from '@byway/home'
import type { Logger } from '@byway/protocol/base'
import type { ExitTarget, NetworkParameters } from '@byway/protocol/directory'
import { judgePortNumber, parseAddress } from '@byway/protocol/policy'
import { cliError } from '../cli-errors.ts'
import type { Config } from '../config/config.ts'
import { homePath } from '../config/home-path.ts'
import { loadConfig } from '../config/load-config.ts'
import type { Table } from '../config/toml-file.ts'
import type { CliIo } from '../io.ts'
import { createLogger } from '../logger.ts'
import { openNetwork } from '../network/open-network.ts'
import { openPlaceBooks, type PlaceBooks } from './place-books.ts'
import { readPassphrase } from '../wallet/ask-passphrase.ts'

export type SocketAddress = { readonly host: string; readonly port: number }

export type EngineFlags = {
  readonly network?: string | undefined
  readonly home?: string | undefined
  readonly config?: string | undefined
  readonly drain: number
  readonly stopWithStdin?: boolean | undefined
  readonly placeDatabase?: readonly string[] | undefined
}

/** What an engine runs with. */
export type EngineSetting = {
  readonly home: string
  readonly config: Config
  readonly network: NetworkParameters
  /** What is known of addresses besides the network's table. */
  readonly places: PlaceBooks
  readonly log: Logger
  /** Aborts when the engine should stop gracefully. */
  readonly signal: AbortSignal
  readonly drainMs: number
  /** Of the purse; undefined in a local network, whose purses have none. @throws WALLET_PASSPHRASE_MISSING */
  readonly passphrase: () => Promise<string | undefined>
}

/** Adds the shared options to a command; `drainS` is how long it lets what runs come to its end. */
export function addEngineOptions(command: Command, drainS: number): Command {
  return command
    .option(
      '--network <file>',
      'the network file (default: network.toml in the state folder, or the setting network_file)',
    )
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    .option('--config <file>', 'configuration (default: config.toml in the state folder)')
    .option(
      '--drain <seconds>',
      'when stopping, let what runs come to its end this long',
      (text) => parseWhole(text, '--drain', 0, MAX_DRAIN_S),
      drainS,
    )
    .option(
      '--place-database <file>',
      'a database of countries or AS numbers (.mmdb) to look nodes up in; once for each file',
      (file, before: readonly string[] | undefined) => [...(before ?? []), resolve(file)],
    )
    .option('--stop-with-stdin', 'stop when standard input ends, for programs that start this one')
}

/**
 * Reads what the engine needs; the state folder is made if it is not there.
 * @throws what `loadConfig`, `openNetwork`, `openPlaceBooks` and `openHome` throw
 */
export async function engineSetting(
  flags: EngineFlags,
  settings: Table,
  io: CliIo,
): Promise<EngineSetting> {
  const home = stateFolder(flags, io)
  await openHome(home)
  const env = { ...io.env, BYWAY_HOME: home }
  const config = await loadConfig({
    env,
    configPath: flags.config,
    flags: {
      networkFile: flags.network,
      place: { databases: flags.placeDatabase },
      ...settings,
    },
  })
  const network = await openNetwork({ home, config }, io)
  const places = await openPlaceBooks({
    config: config.place,
    home,
    isLocal: network.local,
    nowMs: io.nowMs(),
  })
  const log = createLogger({ level: config.logLevel })
  const signal = flags.stopWithStdin ? AbortSignal.any([io.signal, inputEnd()]) : io.signal
  const passphrase = async (): Promise<string | undefined> =>
    network.local ? undefined : await readPassphrase(io, 'purse')
  return { home, config, network, places, log, signal, drainMs: flags.drain * 1000, passphrase }
}

/** The state folder that the flags or the environment name. */
export function stateFolder({ home }: Pick<EngineFlags, 'home'>, io: CliIo): string {
  return home === undefined ? homePath(io.env) : resolve(home)
}

/** Reads a whole number within limits. @throws CLI_USAGE naming the option */
export function parseWhole(text: string, option: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1
  if (value >= least && value <= most) return value
  throw cliError('CLI_USAGE', {
    problem: `${option} must be a whole number from ${least} to ${most}`,
  })
}

/** Reads one of a few words. @throws CLI_USAGE naming the option and the words */
export function parseChoice(text: string, option: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text
  throw cliError('CLI_USAGE', { problem: `${option} must be ${choices.join(' or ')}` })
}

/** Reads an origin that the exits of a local network may reach. @throws CLI_USAGE, also for a port that exits never open (SPEC §11): each visit would end there without a word */
export function parseExitTarget(text: string): ExitTarget {
  const { host, port } = parseSocketAddress(text, '--allow-target', 1)
  if (judgePortNumber(port) === 'port-hard')
    throw cliError('CLI_USAGE', {
      problem: `--allow-target: exits never open port ${port}, whoever names it; use another`,
    })
  return { address: host, port }
}

/** Reads `1.2.3.4:80` or `[::1]:80`, a literal and a port from `leastPort` on. @throws CLI_USAGE naming the option */
export function parseSocketAddress(text: string, option: string, leastPort: 0 | 1): SocketAddress {
  const [, host = '', port = ''] = /^\[?([^\]]*)\]?:(\d{1,5})$/.exec(text) ?? []
  if (!parseAddress(host)) {
    throw cliError('CLI_USAGE', { problem: `${option} must be an IP address and a port` })
  }
  return { host, port: parseWhole(port, option, leastPort, 65_535) }
}

/** Resolves when the signal aborts. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve: settle } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => settle(), { once: true })
  // A signal keeps no process alive, and an engine's timers may all be idle ones.
  const keepAlive = setInterval(() => {}, KEEP_ALIVE_MS)
  await promise
  clearInterval(keepAlive)
}

function inputEnd(): AbortSignal {
  const ended = new AbortController()
  for (const name of ['end', 'close', 'error']) process.stdin.once(name, () => ended.abort())
  process.stdin.resume()
  ended.signal.addEventListener('abort', () => process.stdin.destroy(), { once: true })
  process.stdin.unref()
  return ended.signal
}

/** A day: whoever wants to wait longer wants no end. */
const MAX_DRAIN_S = 86_400
/** Any long time. */
const KEEP_ALIVE_MS = 60_000
