/** The one place where a command or an engine gets its network from: reads the file, asks who signed it, and remembers the publisher (SPEC §18.4). */
import { join } from 'node:path'
import type { NetworkParameters } from '@byway/protocol/directory'
import type { Config } from '../config/config.ts'
import { configError } from '../config/config-errors.ts'
import { readBytes, readTextFile } from '../config/toml-file.ts'
import type { CliIo } from '../io.ts'
import { keyIdText } from '../minisign/signature.ts'
import { createOutput } from '../output.ts'
import { judgeFile, parseBytes, type SignedFacts } from './judge-file.ts'
import { dayOf } from './member-rules.ts'
import { readBelieved, writeBelieved } from './believed.ts'

export type NetworkPlace = {
  /** State folder. */
  readonly home: string
  readonly config: Pick<Config, 'networkFile' | 'publisher'>
}

// Local limit (tunable): docs/LIMITS.md.
/** How long before an edition ends people are told. */
const WARN_BEFORE_MS = 14 * 86_400_000

/**
 * Reads the network that the settings or the state folder name, and says on stderr what a person should know of it: a first use, a change of publisher, a test
 * network, an end that is near.
 * @throws CONFIG_UNREADABLE when there is no file, and what `parseNetworkFile`, `judgeFile` and `readBelieved` throw
 */
export async function openNetwork(place: NetworkPlace, io: CliIo): Promise<NetworkParameters> {
  const { home, config } = place
  const path = config.networkFile || join(home, 'network.toml')
  const { bytes, signature } = await readSigned(path)
  const network = parseBytes(bytes)
  const believed = await readBelieved(home, network.name)
  const given = config.publisher || undefined
  const nowMs = io.nowMs()
  const { signed } = judgeFile({ network, bytes, signature, believed, given, nowMs })
  if (!signed) return network
  if (signed.isNews) await writeBelieved(home, signed.believed)
  const output = createOutput(io, false)
  for (const notice of noticesOf(signed, nowMs)) output.say(notice)
  return network
}

const NO_FILE = {
  system: 'ENOENT',
  hint: 'name one with --network, or put it into the state folder as network.toml; there is no public network yet, and `byway testnet` runs one on this machine',
} as const

/** Where the signature of a file is. */
export function signaturePath(path: string): string {
  return `${path}.minisig`
}

/** A network file's bytes, and the text of the signature beside it. @throws CONFIG_UNREADABLE */
export async function readSigned(
  path: string,
): Promise<{ readonly bytes: Uint8Array; readonly signature: string | undefined }> {
  const bytes = await readBytes(path, 'network file')
  if (!bytes) throw configError('CONFIG_UNREADABLE', { source: 'network file', ...NO_FILE })
  return { bytes, signature: await readTextFile(signaturePath(path), 'signature') }
}

function noticesOf({ network, publisher, trust, isNews }: SignedFacts, nowMs: number): string[] {
  const { name, edition } = network
  const notices: string[] = []
  const id = keyIdText(publisher.id)
  if (trust === 'given')
    notices.push(
      `first use of network ${name}: its publisher is the one that you named (key ${id})`,
    )
  if (trust === 'first-use') {
    notices.push(
      `first use of network ${name}: from now on this publisher alone is believed: ${edition.publisher} (key ${id})`,
      'whoever gave you the network file chose this key: compare it with what the publisher says elsewhere',
    )
  }
  if (isNews && edition.nextPublisher !== undefined)
    notices.push(`network ${name}: its publisher hands over to ${edition.nextPublisher}`)
  if (edition.isTest)
    notices.push(
      `network ${name} is a test network: nothing in it is promised, and money in it is play money`,
    )
  const { expiresAtMs } = edition
  if (expiresAtMs !== undefined && expiresAtMs - nowMs < WARN_BEFORE_MS)
    notices.push(`this network file is taken until ${dayOf(expiresAtMs)}: get the next edition`)
  return notices
}
