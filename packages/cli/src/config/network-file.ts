/**
 * The network file: what all members of one network agree on (docs/CLI.md). TOML in, plain {@link NetworkParameters} out. Checks form and
 * what a local network may do; who the nodes are is the directory's business.
 */
import { stringify } from 'smol-toml'
import { z } from 'zod'
import { fromBase64url, fromHex, toBase64url } from '@byway/protocol/base'
import type { NetworkParameters } from '@byway/protocol/directory'
import { cidrHolds, parseAddress, parseCidr } from '@byway/protocol/policy'
import { configError } from './config-errors.ts'
import { PAYMENT_SCHEMA, paymentFault, paymentTable } from './payment-table.ts'
import { checkTable, parseToml, readTextFile } from './toml-file.ts'

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
    .array(z.strictObject({ address: loopback, port }))
    .max(MAX_EXIT_TARGETS)
    .default([]),
  payment: PAYMENT_SCHEMA.optional(),
})

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
  const fault = file.payment && paymentFault(file.payment, file.local)
  if (fault) throw refuse(fault.key, fault.problem)
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
  }
}

/**
 * Reads a network file from disk.
 * @throws CONFIG_UNREADABLE when it is not there, and what `parseNetworkFile` throws
 */
export async function loadNetworkFile(path: string): Promise<NetworkParameters> {
  const text = await readTextFile(path, 'network file')
  if (text === undefined)
    throw configError('CONFIG_UNREADABLE', { source: 'network file', system: 'ENOENT' })
  return parseNetworkFile(text)
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
  })
}

/** 32 bytes in base64url (43 characters) or hex (64). */
function readNodeId(text: string, context: z.RefinementCtx): Uint8Array {
  const bytes = text.length === 64 ? fromHex(text) : fromBase64url(text)
  if (bytes?.length === 32) return bytes
  context.addIssue({ code: 'custom', message: 'must be 32 bytes in base64url or hex' })
  return z.NEVER
}

function isLoopback(text: string): boolean {
  const parsed = parseAddress(text)
  return (
    parsed !== undefined && LOOPBACK.some((cidr) => cidr !== undefined && cidrHolds(cidr, parsed))
  )
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
