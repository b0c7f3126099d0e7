/** Evidence of an exit record as a file (docs/CLI.md): what witnesses showed, as it came, to be judged again by anybody without a network. */
import { readFile, writeFile } from 'node:fs/promises'
import { equalBytes, fromHex, toHex } from '@byway/protocol/base'
import {
  judgeExitChain,
  judgeExitProof,
  toIpBytes,
  type NetworkParameters,
} from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { parseAddress } from '@byway/protocol/policy'
import type { ExitWitness } from '@byway/client'
import { recordError } from './record-errors.ts'
import type { Testimony } from './record-answer.ts'

const FORMAT = 'byway exit record 1'
/** Sixteen proofs and a thousand heads of some witnesses, in hexadecimal. */
const MAX_FILE_BYTES = 8 * 1024 * 1024

/** What the file holds. */
export type Evidence = {
  readonly address: string
  readonly atS: number | undefined
  readonly pageS: number
  readonly witnesses: readonly {
    readonly nodeId: Uint8Array
    readonly heads: readonly Uint8Array[]
    readonly proofs: readonly Uint8Array[]
  }[]
}

/** Writes a new file. @throws the system's, also when it is there */
export async function writeEvidence(
  path: string,
  { name }: Pick<NetworkParameters, 'name'>,
  asked: Omit<Evidence, 'witnesses'>,
  witnesses: readonly ExitWitness[],
): Promise<void> {
  const { address, atS, pageS } = asked
  const shown = witnesses.map(({ nodeId, heads, proofs }) => ({
    node: toHex(nodeId),
    heads: heads.map(toHex),
    proofs: proofs.map(({ bytes }) => toHex(bytes)),
  }))
  const at = atS ?? null
  const text = JSON.stringify({
    format: FORMAT,
    network: name,
    address,
    at,
    pageS,
    witnesses: shown,
  })
  await writeFile(path, `${text}\n`, { flag: 'wx' })
}

/** @throws RECORD_FILE, and the system's */
export async function readEvidence(path: string): Promise<Evidence> {
  const text = await readFile(path, 'utf8')
  const whole = text.length <= MAX_FILE_BYTES ? parse(text) : undefined
  const { format, address, at, pageS, witnesses } = fieldsOf(whole, 'format')
  if (format !== FORMAT) throw recordError('RECORD_FILE', { field: 'format' })
  if (typeof address !== 'string' || !parseAddress(address))
    throw recordError('RECORD_FILE', { field: 'address' })
  const atS = at === null ? undefined : wholeOf(at, 'at')
  return {
    address,
    atS,
    pageS: Math.max(1, wholeOf(pageS, 'pageS')),
    witnesses: listOf(witnesses, 'witnesses').map((each) => {
      const { node, heads, proofs } = fieldsOf(each, 'witnesses')
      const bytesIn = (field: string) => (one: unknown) => bytesOf(one, field)
      return {
        nodeId: bytesOf(node, 'node'),
        heads: listOf(heads, 'heads').map(bytesIn('heads')),
        proofs: listOf(proofs, 'proofs').map(bytesIn('proofs')),
      }
    }),
  }
}

/**
 * Judges all of it again. Each witness is counted that is another node than the exits that it shows; who the witnesses are, the file does not prove.
 * @throws RECORD_FALSE for the first part that does not hold
 */
export function judgeEvidence({ address, witnesses }: Evidence): readonly Testimony[] {
  const ip = parseAddress(address)
  if (!ip) throw recordError('RECORD_FILE', { field: 'address' })
  return witnesses.map(({ nodeId, heads, proofs }, at) => {
    const witness = at + 1
    const chain = judgeExitChain(nodeCrypto, nodeId, heads)
    if (chain.result === 'broken')
      throw recordError('RECORD_FALSE', { witness, fault: chain.fault })
    const judged = proofs.map((bytes) => {
      const verdict = judgeExitProof(nodeCrypto, bytes, toIpBytes(ip))
      if (verdict.result === 'false')
        throw recordError('RECORD_FALSE', { witness, fault: verdict.fault })
      const { head } = verdict.shown
      if (head && !equalBytes(head.witness, nodeId))
        throw recordError('RECORD_FALSE', { witness, fault: 'head' })
      return { bytes, verdict }
    })
    const isIndependent = judged.every(
      ({ verdict }) => !equalBytes(verdict.shown.entry.nodeId, nodeId),
    )
    return { nodeId, isIndependent, chain, proofs: judged }
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function fieldsOf(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw recordError('RECORD_FILE', { field })
  return value as Readonly<Record<string, unknown>>
}

function listOf(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw recordError('RECORD_FILE', { field })
  return value as readonly unknown[]
}

function wholeOf(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw recordError('RECORD_FILE', { field })
  return value
}

function bytesOf(value: unknown, field: string): Uint8Array {
  const bytes = typeof value === 'string' ? fromHex(value) : undefined
  if (!bytes) throw recordError('RECORD_FILE', { field })
  return bytes
}
