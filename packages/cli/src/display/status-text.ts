/** What `byway status` says to people: a line for each program, and one for each thing that the node needs of its operator. */
import type { NetworkParameters } from '@byway/protocol/directory'
import type { JsonObject } from '../output.ts'
import { describeBytes } from './path-text.ts'
import { shareTexts } from './share-text.ts'

// Local limits (tunable): docs/LIMITS.md. What is older than a day is refused (SPEC §10.2).
const OLD_DIRECTORY_S = 3 * 3600

/** Which network a program is in, as scripts see it. */
export function networkField({ name, edition }: NetworkParameters): JsonObject {
  return { name, test: edition?.isTest === true }
}

/** What is to be said of the network that a program is in: only of a test network. */
export function networkTexts(status: JsonObject | null): readonly string[] {
  const network = status?.['network']
  if (!isTable(network) || network['test'] !== true) return []
  return [`network: ${wordOf(network['name'])}, a test network`]
}

/** The client in one line. */
export function clientText(status: JsonObject | null): string {
  if (!status) return 'client: not running'
  const { state, proxy, tunnels, spending } = status
  if (typeof proxy !== 'string') return `client: ${wordOf(state)}`
  const open: readonly unknown[] = Array.isArray(tunnels) ? tunnels : []
  const lasting = open.filter(isLasting).length
  const kept = lasting === 0 ? '' : ` (${lasting} to exits chosen for staying)`
  const cost = typeof spending === 'string' ? `; ${spending}` : ''
  return `client: ${wordOf(state)}, proxy at ${proxy}, ${open.length} tunnels${kept}${cost}${directoryText(status['directoryAgeS'])}`
}

/** Guards that have said nothing new for hours keep a client on what they showed it last; after a day it builds no circuit. */
function directoryText(ageS: unknown): string {
  const seconds = numberOf(ageS)
  if (seconds >= 0 && seconds <= OLD_DIRECTORY_S) return ''
  const hours = Math.floor(seconds / 3600)
  const since = seconds < 0 ? 'since the clock was put back' : `for ${hours} h`
  return `; no guard has answered ${since}: check the clock and the network`
}

function isLasting(tunnel: unknown): boolean {
  return typeof tunnel === 'object' && tunnel !== null && 'lastsS' in tunnel
}

/** The node in one line, and its alerts. */
export function nodeTexts(status: JsonObject | null): readonly string[] {
  if (!status) return ['node: not running']
  const { roles, links, circuits, alerts } = status
  const carried = numberOf(status['forwardBytes']) + numberOf(status['backwardBytes'])
  const parts = [
    Array.isArray(roles) && roles.length > 0 ? roles.join(' and ') : 'reached through relays',
    `${numberOf(links)} links`,
    `${numberOf(circuits)} circuits`,
    `carried ${describeBytes(carried)}`,
  ]
  const standing = Array.isArray(alerts) ? alerts : []
  const { reachText: place, classes } = status
  return [
    `node: ${parts.join(', ')}${earningsText(status['earnings'])}`,
    ...(typeof place === 'string' && place !== '' ? [`  ${place}`] : []),
    ...(isTable(classes) ? [`  takes ${classesLine(classes)}`] : []),
    ...shareTexts(status['share']).map((line) => `  ${line}`),
    ...standing.map((alert) => `  ! ${textOf(alert)}`),
  ]
}

/** `browse at price step 4, collect at price step 8`; a step of 0 costs nothing and is not named. */
function classesLine(classes: Readonly<Record<string, unknown>>): string {
  return Object.entries(classes)
    .map(([name, step]) => (numberOf(step) > 0 ? `${name} at price step ${numberOf(step)}` : name))
    .join(', ')
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Lottery pay looks wrong without both: what the work was worth, and what was won. */
function earningsText(earnings: unknown): string {
  if (typeof earnings !== 'object' || earnings === null) return ''
  const field = (name: string): string => wordOf(Reflect.get(earnings, name))
  const open = Number(field('openWins'))
  const waiting = open > 0 ? `, ${open} on the way` : ''
  return `; earned ${field('expected')} ${field('token')}, ${field('wins')} wins of ${field('won')} ${field('token')}${waiting}`
}

function textOf(alert: unknown): string {
  return typeof alert === 'object' && alert !== null ? wordOf(Reflect.get(alert, 'text')) : ''
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
