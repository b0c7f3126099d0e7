/**
 * `byway policy check`: asks the exit's very policy about a destination, from the command line.
 * With answers nothing is looked up; without, a name that may be looked up is, once, through the exit's own resolver. Never connects.
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import {
  judge,
  judgeRequest,
  type DenyReason,
  parsePolicyContext,
  parsePortProfile,
  type PolicyContext,
  type PortProfile,
} from '@byway/protocol/policy'
import { createDnsStub, type DnsResolver } from './dns-stub.ts'
import { exitError } from './exit-errors.ts'
import { readResolvConf } from './resolv-conf.ts'

/** Arguments as they stood on the command line. */
export type PolicyCheckArgs = {
  readonly host: string
  readonly port: string | number
  /** Comma-separated addresses, or a list; an empty text means that the name has no answer. */
  readonly answers?: string | readonly string[] | undefined
  /** `web`, or `reduced` (also written `tor-reduced`). @default 'web' */
  readonly profile?: string | undefined
  /** Path of a JSON file with the shape of `ctx` in `vectors/exit-policy.json`. */
  readonly context?: string | undefined
  /** Resolver for names without answers. @default the system's DNS servers */
  readonly resolver?: DnsResolver | undefined
  readonly signal?: AbortSignal | undefined
}

/** What the check prints. `lookup-failed` and `no-answer` mean that the name led nowhere. */
export type PolicyCheckResult =
  | { readonly verdict: 'allow'; readonly reason: 'ok'; readonly pin: string }
  | { readonly verdict: 'deny'; readonly reason: DenyReason | 'lookup-failed' }

/** Judges one destination. Waits at most 5 s for DNS. @throws NODE_EXIT_CHECK_INPUT for an unknown profile or a bad context file. */
export async function runPolicyCheck(args: PolicyCheckArgs): Promise<PolicyCheckResult> {
  const profile = readProfile(args.profile ?? 'web')
  const context = args.context === undefined ? undefined : await readContextFile(args.context)
  const request = { host: args.host, port: readPort(args.port), profile, context }
  if (args.answers !== undefined) return judge({ ...request, answers: readAnswers(args.answers) })
  const early = judgeRequest(request)
  if (early.verdict === 'deny') return early
  if (early.verdict === 'allow') return judge(request)
  const answers = await lookUp(early.name, context?.ipv6 ?? true, args)
  return answers === undefined
    ? { verdict: 'deny', reason: 'lookup-failed' }
    : judge({ ...request, answers })
}

async function lookUp(
  name: string,
  isIpv6On: boolean,
  args: PolicyCheckArgs,
): Promise<readonly string[] | undefined> {
  const resolver = args.resolver ?? (await systemResolver())
  try {
    const found = await resolver.lookup(name, isIpv6On ? [4, 6] : [4], args.signal)
    return found.addresses
  } catch {
    args.signal?.throwIfAborted()
    return undefined
  }
}

async function systemResolver(): Promise<DnsResolver> {
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '')
  const servers = readResolvConf(text)
  return createDnsStub({ randomBytes, servers: () => servers })
}

function readProfile(text: string): PortProfile {
  const profile = parsePortProfile(text)
  if (profile === undefined)
    throw exitError('NODE_EXIT_CHECK_INPUT', { field: 'profile', hint: 'use web or reduced' })
  return profile
}

/** A port that is not a plain decimal number is judged as none at all (`port-invalid`). */
function readPort(port: string | number): number {
  if (typeof port === 'number') return port
  return /^-?[0-9]{1,6}$/.test(port) ? Number(port) : Number.NaN
}

function readAnswers(answers: string | readonly string[]): readonly string[] {
  if (typeof answers !== 'string') return answers
  return answers.trim() === '' ? [] : answers.split(',').map((text) => text.trim())
}

async function readContextFile(path: string): Promise<PolicyContext> {
  const fault = (field: string, hint: string, cause?: unknown): Error =>
    exitError('NODE_EXIT_CHECK_INPUT', { field, hint }, { cause })
  let facts: unknown
  try {
    facts = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw fault(
      'context',
      'give a readable JSON file with the shape of ctx in vectors/exit-policy.json',
      error,
    )
  }
  const parsed = parsePolicyContext(facts)
  if ('context' in parsed) return parsed.context
  throw fault(
    `context.${parsed.faultPath}`,
    'correct this field; its shape is that of ctx in vectors/exit-policy.json',
  )
}
