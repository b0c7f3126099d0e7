/** Amounts of money as they travel: u96 (SPEC §13.1). */
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'

const LOW_32 = 0xffff_ffffn

export function readAmount(reader: ByteReader): bigint {
  const [high, middle, low] = [reader.u32('amount'), reader.u32('amount'), reader.u32('amount')]
  return (BigInt(high) << 64n) | (BigInt(middle) << 32n) | BigInt(low)
}

export function writeAmount(writer: ByteWriter, amount: bigint): ByteWriter {
  if (amount < 0n || amount > MAX_AMOUNT) throw wireError('WIRE_ENCODE', { field: 'amount' })
  return writer
    .u32(Number(amount >> 64n), 'amount')
    .u32(Number((amount >> 32n) & LOW_32), 'amount')
    .u32(Number(amount & LOW_32), 'amount')
}

/** SPEC §13.1: the largest amount, a u96. */
export const MAX_AMOUNT: bigint = (1n << 96n) - 1n
