/**
 * The operator's stored consent to the exit role: `exit-consent.json` in the state folder, readable by its owner only. A node takes the
 * exit role only while a record covers it, so no configuration file and no environment alone can make an exit. Asking is the CLI's work.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NetworkParameters } from '@byway/protocol/directory'
import { readPrivateFile, removePrivateFile, writePrivateFile } from '@byway/home'
import { TRAFFIC_CLASSES, type TrafficClass } from '@byway/protocol/wire'
import { consentError } from './consent-errors.ts'
import { CONSENT_TEXT_VERSION } from './consent-text.ts'

/** Twelve months: then the operator is asked again. */
export const CONSENT_LIFE_MS: number = 365 * 86_400_000

/** A clock may be this far behind the one that wrote the record. */
const CLOCK_TOLERANCE_MS = 86_400_000

/** How often a running exit looks whether the consent still stands: `byway exit disable` must work within five seconds. */
const POLL_MS = 2000

/** `internet` was typed by a person; `local` was written for a network on this machine and covers nothing else. */
export type ConsentScope = 'internet' | 'local'

export type Consent = {
  readonly scope: ConsentScope
  /** The traffic classes that may leave, in their order; one at least. */
  readonly classes: readonly TrafficClass[]
  readonly agreedAtMs: number
  readonly expiresAtMs: number
}

export type ConsentState =
  | { readonly state: 'given'; readonly consent: Consent }
  | { readonly state: 'none' | 'expired' | 'text-changed' | 'unreadable' }

/** Reads the record. Never throws for its content. @throws HOME_FILE_OPEN when others may read or change it */
export async function readConsent(home: string, nowMs: number): Promise<ConsentState> {
  const text = await readPrivateFile(consentPath(home))
  if (text === undefined) return { state: 'none' }
  const record = parseRecord(text)
  if (!record || record.agreedAtMs > nowMs + CLOCK_TOLERANCE_MS) return { state: 'unreadable' }
  if (record.textVersion !== CONSENT_TEXT_VERSION) return { state: 'text-changed' }
  if (record.classes.length === 0) return { state: 'unreadable' }
  const expiresAtMs = record.agreedAtMs + CONSENT_LIFE_MS
  if (nowMs >= expiresAtMs) return { state: 'expired' }
  return {
    state: 'given',
    consent: {
      scope: record.scope,
      classes: record.classes,
      agreedAtMs: record.agreedAtMs,
      expiresAtMs,
    },
  }
}

/** True when the consent lets a node be an exit in this network, for these classes. @default none in particular */
export function consentCovers(
  found: ConsentState,
  network: Pick<NetworkParameters, 'local'>,
  classes: readonly TrafficClass[] = [],
): boolean {
  if (found.state !== 'given') return false
  const { consent } = found
  const isHere = consent.scope === 'internet' || network.local
  return isHere && classes.every((each) => consent.classes.includes(each))
}

/** Stores what a person has typed just now. */
export async function writeConsent(
  home: string,
  nowMs: number,
  classes: readonly TrafficClass[],
): Promise<void> {
  await writeRecord(home, nowMs, { scope: 'internet', classes })
}

/**
 * Stores consent for a network on this machine, whose nodes are all of the person who started it.
 * @throws CONSENT_NOT_LOCAL for any other network
 */
export async function writeLocalConsent(
  home: string,
  nowMs: number,
  network: Pick<NetworkParameters, 'local'>,
  classes: readonly TrafficClass[],
): Promise<void> {
  if (!network.local) throw consentError('CONSENT_NOT_LOCAL', {})
  await writeRecord(home, nowMs, { scope: 'local', classes })
}

/** Withdraws the consent; says whether there was a record. */
export async function removeConsent(home: string): Promise<boolean> {
  return await removePrivateFile(consentPath(home))
}

/** Resolves once the consent no longer covers the network and the classes, at most two seconds later; rejects when `signal` aborts. */
export async function untilConsentEnds(
  home: string,
  network: Pick<NetworkParameters, 'local'>,
  options: {
    readonly nowMs: () => number
    readonly signal: AbortSignal
    /** What the exit takes. */
    readonly classes: readonly TrafficClass[]
    readonly pollMs?: number | undefined
  },
): Promise<void> {
  const { classes } = options
  while (consentCovers(await readConsent(home, options.nowMs()), network, classes)) {
    await sleep(options.pollMs ?? POLL_MS, undefined, { signal: options.signal })
  }
}

type ConsentRecord = {
  readonly textVersion: number
  readonly agreedAtMs: number
  readonly scope: ConsentScope
  /** Empty where the record names none that is known. */
  readonly classes: readonly TrafficClass[]
}

async function writeRecord(
  home: string,
  nowMs: number,
  { scope, classes }: Pick<ConsentRecord, 'scope' | 'classes'>,
): Promise<void> {
  const record = {
    textVersion: CONSENT_TEXT_VERSION,
    agreedAt: new Date(nowMs).toISOString(),
    scope,
    classes,
  }
  await writePrivateFile(consentPath(home), `${JSON.stringify(record, undefined, 2)}\n`)
}

function parseRecord(text: string): ConsentRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { textVersion, agreedAt, scope, classes } = value as Record<string, unknown>
  const agreedAtMs = typeof agreedAt === 'string' ? Date.parse(agreedAt) : Number.NaN
  if (typeof textVersion !== 'number' || Number.isNaN(agreedAtMs)) return undefined
  if (scope !== 'internet' && scope !== 'local') return undefined
  const named: readonly unknown[] = Array.isArray(classes) ? classes : []
  const known = TRAFFIC_CLASSES.filter((each) => named.includes(each))
  const isWhole = known.length === named.length
  return { textVersion, agreedAtMs, scope, classes: isWhole ? known : [] }
}

function consentPath(home: string): string {
  return join(home, 'exit-consent.json')
}
