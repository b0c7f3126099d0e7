/**
 * The network file: what all members of one network agree on (docs/CLI.md). TOML in, plain {@link NetworkParameters} out. Checks form and
 * what a local network may do; who signed it is asked in `network/`, and who the nodes are is the directory's business.
 */
import { stringify, TomlDate } from 'smol-toml'
import { z } from 'zod'
import { fromBase64url, fromHex, toBase64url } from '@byway/protocol/base'
import type { NetworkEdition, NetworkParameters } from '@byway/protocol/directory'
import { cidrHolds, judgePortNumber, parseAddress, parseCidr } from '@byway/protocol/policy'
import { formatPublicKey, parsePublicKey } from '../minisign/signature.ts'
import { configError } from './config-errors.ts'
import { PAYMENT_SCHEMA, paymentFault, paymentTable } from './payment-table.ts'
import { checkTable, parseToml } from './toml-file.ts'

/** A full table of the internet's prefixes has about a million rows; a network names a fraction. */
const MAX_ASN_ROWS = 200_000
/** First contacts of a release are twenty or more; nobody needs hundreds. */
const MAX_BOOTSTRAP = 256
/** Origins that a test network opens to its exits. */
const MAX_EXIT_TARGETS = 64

const LOOPBACK = ['127.0.0.0/8', '::1/128'].map((text) => parseCidr(text))

const address = z
  .string()
  .refine((text) => parseAddress(text) !== undefined, 'must be an IP address')
const loopback = z.string().refine(isLoopback, 'must be an address of the loopback')
const prefix = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, 'must be a prefix such as 192.0.2.0/24')
const port = z
  .int('must be a whole number')
  .min(1, 'must be 1 to 65535')
  .max(65_535, 'must be 1 to 65535')
const targetPort = port.refine(
  (number) => judgePortNumber(number) !== 'port-hard',
  'is a port that exits never open',
)
const publisher = z.string().transform((text, context) => {
  const key = parsePublicKey(text)
  if (key) return formatPublicKey(key)
  context.addIssue({ code: 'custom', message: 'must be a minisign public key: 56 characters' })
  return z.NEVER
})
const moment = z
  .instanceof(TomlDate, { error: 'must be a date such as 2027-05-01, in UTC' })
  .refine((date) => date.isDate() || (date.isDateTime() && !date.isLocal()), {
    error: 'must be a date, or a date and time with its zone',
  })
  .transform((date) => date.getTime())

const NETWORK_SCHEMA = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/, 'must be 1 to 32 letters, digits, _ and -'),
  local: z.boolean().default(false),
  reachablePrefixes: z.array(prefix).max(64).default([]),
  asn: z
    .array(
      z.strictObject({
        prefix,
        number: z.int().min(1).max(0xffff_ffff),
        country: z.string().regex(/^[A-Z]{2}$/, 'must be two capital letters'),
      }),
    )
    .max(MAX_ASN_ROWS)
    .default([]),
  bootstrap: z
    .array(z.strictObject({ nodeId: z.string().transform(readNodeId), address, port }))
    .max(MAX_BOOTSTRAP)
    .default([]),
  exitTarget: z
    .array(z.strictObject({ address: loopback, port: targetPort }))
    .max(MAX_EXIT_TARGETS)
    .default([]),
  payment: PAYMENT_SCHEMA.optional(),
  sequence: z.int('must be a whole number').min(1, 'must be 1 or more').optional(),
  publisher: publisher.optional(),
  nextPublisher: publisher.optional(),
  expires: moment.optional(),
  test: z.boolean().default(false),
})
type File = z.infer<typeof NETWORK_SCHEMA>

/**
 * Parses a network file.
 * @throws CONFIG_SYNTAX, CONFIG_UNKNOWN_KEY or CONFIG_VALUE
 */
export function parseNetworkFile(text: string): NetworkParameters {
  const source = 'network file'
  const file = checkTable(NETWORK_SCHEMA, parseToml(text, source), source)
  const refuse = (key: string, problem: string): Error =>
    configError('CONFIG_VALUE', { source, key, problem })
  if (!file.local && file.exitTarget.length > 0)
    throw refuse('exit_target', 'only a local network may have any')
  if (file.local && !file.reachablePrefixes.every(isLoopbackPrefix)) {
    throw refuse('reachable_prefixes', 'a local network stays on the loopback')
  }
  const fault = (file.payment && paymentFault(file.payment, file.local)) ?? editionFault(file)
  if (fault) throw refuse(fault.key, fault.problem)
  const edition = editionOf(file)
  return {
    name: file.name,
    local: file.local,
    reachablePrefixes: file.reachablePrefixes,
    asnTable: file.asn.map((row) => ({
      prefix: row.prefix,
      asn: row.number,
      country: row.country,
    })),
    bootstrap: file.bootstrap,
    exitTargets: file.exitTarget,
    ...(file.payment ? { payment: file.payment } : {}),
    ...(edition ? { edition } : {}),
  }
}

/** Writes a network file that parses to the same parameters. */
export function formatNetworkFile(network: NetworkParameters): string {
  return stringify({
    name: network.name,
    local: network.local,
    reachable_prefixes: [...network.reachablePrefixes],
    asn: network.asnTable.map((row) => ({
      prefix: row.prefix,
      number: row.asn,
      country: row.country,
    })),
    bootstrap: network.bootstrap.map((node) => ({
      node_id: toBase64url(node.nodeId),
      address: node.address,
      port: node.port,
    })),
    exit_target: network.exitTargets.map((target) => ({
      address: target.address,
      port: target.port,
    })),
    ...(network.payment ? { payment: paymentTable(network.payment) } : {}),
    ...(network.edition ? editionKeys(network.edition) : {}),
  })
}

/** Whether an address is of this machine alone. */
export function isLoopback(text: string): boolean {
  const parsed = parseAddress(text)
  return (
    parsed !== undefined && LOOPBACK.some((cidr) => cidr !== undefined && cidrHolds(cidr, parsed))
  )
}

type Fault = { readonly key: string; readonly problem: string }

/** An edition has a number and a publisher, or the file says nothing of any. */
function editionFault(file: File): Fault | undefined {
  const { sequence, publisher: by, nextPublisher, expires, test } = file
  const isAny = [sequence, by, nextPublisher, expires].some((each) => each !== undefined) || test
  if (!isAny) return undefined
  if (sequence === undefined) return { key: 'sequence', problem: 'is missing in a signed file' }
  return by === undefined ? { key: 'publisher', problem: 'is missing in a signed file' } : undefined
}

function editionOf({
  sequence,
  publisher: by,
  nextPublisher,
  expires,
  test,
}: File): NetworkEdition | undefined {
  if (sequence === undefined || by === undefined) return undefined
  return {
    sequence,
    publisher: by,
    ...(nextPublisher !== undefined && { nextPublisher }),
    ...(expires !== undefined && { expiresAtMs: expires }),
    isTest: test,
  }
}

function editionKeys(edition: NetworkEdition): Record<string, unknown> {
  const { sequence, publisher: by, nextPublisher, expiresAtMs, isTest } = edition
  return {
    sequence,
    publisher: by,
    ...(nextPublisher !== undefined && { next_publisher: nextPublisher }),
    ...(expiresAtMs !== undefined && { expires: new TomlDate(new Date(expiresAtMs)) }),
    test: isTest,
  }
}

/** 32 bytes in base64url (43 characters) or hex (64). */
function readNodeId(text: string, context: z.RefinementCtx): Uint8Array {
  const bytes = text.length === 64 ? fromHex(text) : fromBase64url(text)
  if (bytes?.length === 32) return bytes
  context.addIssue({ code: 'custom', message: 'must be 32 bytes in base64url or hex' })
  return z.NEVER
}

function isLoopbackPrefix(text: string): boolean {
  const parsed = parseCidr(text)
  return LOOPBACK.some((cidr) => {
    return (
      cidr !== undefined &&
      parsed !== undefined &&
      parsed.bits >= cidr.bits &&
      cidrHolds(cidr, parsed.base)
    )
  })
}
