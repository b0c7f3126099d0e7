/**
 * What an operator or user may choose, with its defaults: the schema of `config.toml` (docs/CLI.md). Keys are written in snake_case
 * in the file and in camelCase here. Protocol parameters are not here (network file), nor are local limits (docs/LIMITS.md).
 */
import { z } from 'zod'
import { LOG_LEVELS, type LogLevel } from '@byway/protocol/base'
import { parseAddress, parseCidr } from '@byway/protocol/policy'
import { TRAFFIC_CLASSES, type TrafficClass } from '@byway/protocol/wire'
import { isPublicKey } from '../minisign/signature.ts'

export type Config = {
  /** Path of the network file; empty for the one in the state folder. */
  readonly networkFile: string
  /** The key of the network's publisher, for who was given it by another way than the file; empty to believe the file at first use. */
  readonly publisher: string
  readonly logLevel: LogLevel
  readonly client: ClientConfig
  readonly node: NodeConfig
  readonly exit: ExitConfig
  readonly place: PlaceConfig
  readonly share: ShareConfig
}

export type ClientConfig = {
  /** Address and port of the proxy for applications. */
  readonly listen: string
  readonly port: number
  /** Least number of hops, 2 or 3; an exit without a public port always takes 3. */
  readonly hops: number
  /** Country of the exit, two letters; empty for any. */
  readonly country: string
  /** Refuses applications that send addresses where a name would do. */
  readonly safeSocks: boolean
  /** Ids of the user's own nodes on other machines; one that runs from the same folder is known. No circuit goes through them. */
  readonly ownNodes: readonly string[]
  /** The most to spend in a calendar month (UTC), in whole tokens such as `2.5`; empty for no limit. */
  readonly budget: string
  /** The dearest price step to pay, 0 to 8 (SPEC §13.1). */
  readonly maxPrice: number
  /** What exits are told the traffic is where a user name does not say, and what is paid for it (SPEC §9.2). */
  readonly trafficClass: TrafficClass
  /** Who is asked what the chain says: nodes, over circuits, or the network file's endpoints, which learn this machine's address. */
  readonly chainThrough: 'network' | 'direct'
}

export type NodeConfig = {
  readonly listen: string
  readonly port: number
  /** Addresses at which others reach this node; empty for a node without a public port. */
  readonly advertise: readonly string[]
  /** Whether the home's router is asked for a port where no address is given (UPnP, PCP, NAT-PMP). */
  readonly mapPort: boolean
  readonly country: string
  /** Number of the AS it is in, for a node without a public address; 0 to say nothing. */
  readonly asn: number
  /** The same name at all nodes of one operator, so that no circuit goes through two of them; empty for one node alone. */
  readonly family: string
  /** What the node asks (SPEC §13.1): 0 for nothing, 4 for the thousandth part of a win a MiB, up to 8. */
  readonly priceStep: number
  /** Tokens that a whole coin of the chain is worth: what gas is weighed against. */
  readonly coinPrice: number
  /** Whether it sends other nodes' claims for a fee (SPEC §15.7). */
  readonly redeemer: boolean
}

/** How an exit behaves. Nothing here makes a node an exit: that takes the operator's consent (`byway exit enable`). */
export type ExitConfig = {
  readonly profile: 'web' | 'reduced'
  /** Traffic classes that it takes, of those that its operator has agreed to; empty for all of these. */
  readonly classes: readonly TrafficClass[]
  /** Price steps of the classes, not below the node's; 0 for the node's. */
  readonly browsePrice: number
  readonly collectPrice: number
  readonly ipv6: boolean
  readonly datagrams: boolean
  /** Prefixes refused beside the built-in ones. */
  readonly denyPrefixes: readonly string[]
  /** Names refused together with everything below them. */
  readonly denyNames: readonly string[]
}

/** What this program knows of addresses besides the network file's table (docs/PLACE.md). */
export type PlaceConfig = {
  /** Databases of countries or AS numbers (`.mmdb`), the strongest first; what is no absolute path counts from the state folder. */
  readonly databases: readonly string[]
  /** Whether the coarse table that comes with byway is asked where nothing else says anything. */
  readonly builtIn: boolean
}

/** When and how much a node shares of the home's line. */
export type ShareConfig = {
  /** Hours for the household alone, in the machine's time zone: `22:00-07:00`, `mon-fri 18:00-23:00`. */
  readonly quietHours: readonly string[]
  /** What the node carries in a day and in a month at most, 10^9 bytes; 0 for no cap. Each byte comes in by the line and goes out again. */
  readonly dailyCapGb: number
  readonly monthlyCapGb: number
  /** The day on which a month of the line begins, 1 to 28. */
  readonly billingDay: number
}

const address = z
  .string()
  .refine((text) => parseAddress(text) !== undefined, 'must be an IP address')
const prefix = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, 'must be a prefix such as 192.0.2.0/24')
const port = z
  .int('must be a whole number')
  .min(0, 'must be 0 to 65535')
  .max(65_535, 'must be 0 to 65535')
const nodeId = z.string().regex(/^[0-9a-f]{64}$/, 'must be a node id: 64 hexadecimal digits')
const DAY = '(?:sun|mon|tue|wed|thu|fri|sat)'
const HOUR = '(?:[01][0-9]|2[0-3]):[0-5][0-9]'
const QUIET_HOURS = new RegExp(`^(?:${DAY}(?:-${DAY})?(?:,${DAY}(?:-${DAY})?)* )?${HOUR}-${HOUR}$`)
const quietHours = z
  .string()
  .regex(QUIET_HOURS, 'must be hours such as 22:00-07:00 or mon-fri 18:00-23:00')
const capGb = z.number('must be a number').min(0, 'must be 0 or more').max(1e9).default(0)
const country = z.string().regex(/^(?:[A-Z]{2})?$/, 'must be two capital letters, or empty')
const trafficClass = z.enum(TRAFFIC_CLASSES, 'must be browse or collect')
const classPrice = z
  .int('must be 0 to 8')
  .min(0, 'must be 0 to 8')
  .max(8, 'must be 0 to 8')
  .default(0)
/** Operators paste published lists; beyond this a file is a mistake. */
const MAX_DENIALS = 100_000

/** The whole configuration. A missing key takes its default, an unknown one is a fault. */
export const CONFIG_SCHEMA: z.ZodType<Config> = z.strictObject({
  networkFile: z.string().default(''),
  publisher: z
    .string()
    .refine(
      (text) => text === '' || isPublicKey(text),
      'must be a minisign public key, 56 characters, or empty',
    )
    .default(''),
  logLevel: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
  client: z
    .strictObject({
      listen: address.default('127.0.0.1'),
      port: port.default(1080),
      hops: z.int('must be 2 or 3').min(2, 'must be 2 or 3').max(3, 'must be 2 or 3').default(2),
      country: country.default(''),
      safeSocks: z.boolean().default(false),
      ownNodes: z.array(nodeId).max(64, 'must have at most 64 entries').default([]),
      budget: z
        .string()
        .regex(/^(?:\d{1,30}(?:\.\d{1,36})?)?$/, 'must be an amount such as 2.5, or empty')
        .default(''),
      maxPrice: z
        .int('must be 0 to 8')
        .min(0, 'must be 0 to 8')
        .max(8, 'must be 0 to 8')
        .default(8),
      trafficClass: trafficClass.default('browse'),
      chainThrough: z.enum(['network', 'direct'], 'must be network or direct').default('network'),
    })
    .prefault({}),
  node: z
    .strictObject({
      listen: address.default('0.0.0.0'),
      port: port.default(9443),
      advertise: z.array(address).max(8, 'must have at most 8 entries').default([]),
      mapPort: z.boolean().default(true),
      country: country.default(''),
      asn: z.int('must be a whole number').min(0).max(0xffff_ffff).default(0),
      family: z.string().max(64, 'must have at most 64 characters').default(''),
      priceStep: z
        .int('must be 0 to 8')
        .min(0, 'must be 0 to 8')
        .max(8, 'must be 0 to 8')
        .default(4),
      coinPrice: z
        .int('must be a whole number')
        .min(1, 'must be 1 or more')
        .max(1_000_000_000)
        .default(3000),
      redeemer: z.boolean().default(false),
    })
    .prefault({}),
  exit: z
    .strictObject({
      profile: z.enum(['web', 'reduced'], 'must be web or reduced').default('web'),
      classes: z.array(trafficClass).max(2, 'must have at most 2 entries').default([]),
      browsePrice: classPrice,
      collectPrice: classPrice,
      ipv6: z.boolean().default(false),
      datagrams: z.boolean().default(false),
      denyPrefixes: z.array(prefix).max(MAX_DENIALS).default([]),
      denyNames: z.array(z.string().min(1).max(253)).max(MAX_DENIALS).default([]),
    })
    .prefault({}),
  place: z
    .strictObject({
      databases: z
        .array(z.string().min(1).max(4096))
        .max(8, 'must have at most 8 entries')
        .default([]),
      builtIn: z.boolean().default(true),
    })
    .prefault({}),
  share: z
    .strictObject({
      quietHours: z.array(quietHours).max(32, 'must have at most 32 entries').default([]),
      dailyCapGb: capGb,
      monthlyCapGb: capGb,
      billingDay: z
        .int('must be 1 to 28')
        .min(1, 'must be 1 to 28')
        .max(28, 'must be 1 to 28')
        .default(1),
    })
    .prefault({}),
})

/** What holds when nobody chose anything. */
export const DEFAULT_CONFIG: Config = CONFIG_SCHEMA.parse({})
