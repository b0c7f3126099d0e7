/**
 * The `[payment]` table of a network file: chain, contracts and constants (SPEC §13). Amounts are written in the token's smallest part, as whole numbers or, where they are
 * too large for TOML, as digits in quotes. Whether the contracts say the same is asked of the chain, not here.
 */
import { z } from 'zod'
import { fromHex, toHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'

/** Of chains that are made for one machine: money there is worth nothing. The chain's own package says the same, and takes its time to load. */
export const LOCAL_CHAIN_ID = 31_337

// Local limits (tunable): docs/LIMITS.md.
/** Two are needed; each question is asked of all. */
const MAX_ENDPOINTS = 8
/** A year: delays beyond it are mistakes. */
const MAX_DELAY_S = 366 * 86_400
/** Wins fit in the slot's word as one byte. */
const MAX_WINS_PER_SLOT = 255
/** Below it a week of receipts would be nothing but its ends. */
const MIN_EPOCH_S = 60
/** Blocks of an hour on the fastest chains. */
const MAX_CONFIRMATIONS = 10_000
/** Amounts are u96 (SPEC §13.1). */
const MAX_AMOUNT = 2n ** 96n - 1n

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address: 0x and 40 hexadecimal digits')
  .transform((text) => fromHex(text.slice(2)) ?? new Uint8Array(20))
  .refine((bytes) => bytes.some((byte) => byte !== 0), 'must not be the zero address')
const amount = z
  .union(
    [
      z.int().transform(BigInt),
      z
        .string()
        .regex(/^\d{1,30}$/)
        .transform(BigInt),
    ],
    {
      error: 'must be a whole number, or digits in quotes',
    },
  )
  .refine((value) => value > 0n && value <= MAX_AMOUNT, {
    error: 'must be 1 to 2^96 - 1',
    // What comes after divides by it.
    abort: true,
  })
const endpoint = z.string().refine(isEndpoint, 'must be an http or https URL without a user name')
const delayS = z.int('must be whole seconds').min(0, 'must not be negative').max(MAX_DELAY_S)

const FIELDS = z.strictObject({
  chainId: z.int().min(1, 'must be 1 or more'),
  rpc: z.array(endpoint).min(1, 'must name an endpoint').max(MAX_ENDPOINTS),
  pool: address,
  registry: address,
  token: address,
  authoriser: address,
  deployBlock: z.int().min(0).default(0),
  winValue: amount,
  winsPerSlot: z.int().min(1).max(MAX_WINS_PER_SLOT),
  bond: amount,
  unit: amount,
  tokenSymbol: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,12}$/, 'must be 1 to 12 letters, digits, . and -'),
  tokenDecimals: z.int().min(0).max(36),
  issueDelay: delayS,
  rootInterval: delayS,
  rootMaxAge: delayS,
  lock: delayS,
  refundDelay: delayS,
  closeDelay: delayS,
  confirmations: z.int().min(1, 'must be 1 or more').max(MAX_CONFIRMATIONS),
  /** Without it nobody signs receipts. */
  epoch: z.int('must be whole seconds').min(MIN_EPOCH_S).max(MAX_DELAY_S).optional(),
  /** Who judges service proofs; only with epochs. */
  serviceProofs: address.optional(),
})

/** Checks the table and gives the parameters. */
export const PAYMENT_SCHEMA: z.ZodType<PaymentParameters> = FIELDS.refine(
  ({ winValue, bond }) => winValue % bond === 0n,
  { path: ['bond'], message: 'must divide win_value' },
)
  .refine(({ bond, unit }) => bond % unit === 0n, {
    path: ['unit'],
    message: 'must divide bond',
  })
  .refine(({ epoch, serviceProofs }) => epoch !== undefined || serviceProofs === undefined, {
    path: ['service_proofs'],
    message: 'needs epoch',
  })
  .transform(
    ({
      rpc,
      issueDelay,
      rootInterval,
      rootMaxAge,
      lock,
      refundDelay,
      closeDelay,
      epoch,
      serviceProofs: contract,
      ...rest
    }) => ({
      ...rest,
      ...(epoch !== undefined && { proofs: { epochS: epoch, ...(contract && { contract }) } }),
      rpcUrls: rpc,
      issueDelayS: issueDelay,
      rootIntervalS: rootInterval,
      rootMaxAgeS: rootMaxAge,
      lockS: lock,
      refundDelayS: refundDelay,
      closeDelayS: closeDelay,
    }),
  )

/** What keeps a network from taking these parameters: the key and the problem, or undefined. */
export function paymentFault(
  payment: PaymentParameters,
  isLocal: boolean,
): { readonly key: string; readonly problem: string } | undefined {
  if (isLocal && payment.chainId !== LOCAL_CHAIN_ID)
    return { key: 'payment.chain_id', problem: `must be ${LOCAL_CHAIN_ID} in a local network` }
  if (isLocal && !payment.rpcUrls.every((url) => isOwnMachine(new URL(url))))
    return { key: 'payment.rpc', problem: 'must be on this machine in a local network' }
  const distinct = new Set(payment.rpcUrls.map((url) => new URL(url).host)).size
  if (!isLocal && distinct < 2) {
    return {
      key: 'payment.rpc',
      problem: 'must name two endpoints on different hosts: none is believed alone',
    }
  }
  if (!isLocal && payment.rpcUrls.some((url) => !isPrivateWay(new URL(url)))) {
    const problem = 'must use https, but for an endpoint on this machine'
    return { key: 'payment.rpc', problem }
  }
  return undefined
}

/** The table that {@link PAYMENT_SCHEMA} reads back. */
export function paymentTable(payment: PaymentParameters): Record<string, unknown> {
  return {
    chain_id: payment.chainId,
    rpc: [...payment.rpcUrls],
    pool: hexAddress(payment.pool),
    registry: hexAddress(payment.registry),
    token: hexAddress(payment.token),
    authoriser: hexAddress(payment.authoriser),
    deploy_block: payment.deployBlock,
    win_value: payment.winValue.toString(),
    wins_per_slot: payment.winsPerSlot,
    bond: payment.bond.toString(),
    unit: payment.unit.toString(),
    token_symbol: payment.tokenSymbol,
    token_decimals: payment.tokenDecimals,
    issue_delay: payment.issueDelayS,
    root_interval: payment.rootIntervalS,
    root_max_age: payment.rootMaxAgeS,
    lock: payment.lockS,
    refund_delay: payment.refundDelayS,
    close_delay: payment.closeDelayS,
    confirmations: payment.confirmations,
    ...(payment.proofs && { epoch: payment.proofs.epochS }),
    ...(payment.proofs?.contract && { service_proofs: hexAddress(payment.proofs.contract) }),
  }
}

function hexAddress(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`
}

function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === ''
}

/** Nobody on the way reads along. */
function isPrivateWay(url: URL): boolean {
  return url.protocol === 'https:' || isOwnMachine(url)
}

function isOwnMachine(url: URL): boolean {
  return /^(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url.hostname)
}
