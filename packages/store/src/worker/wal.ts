/**
 * Reads SQLite's write-ahead log without SQLite (its file format, "WAL File Format"). SQLite takes a log up to the first frame that does not check and says nothing
 * about the rest: right after a power cut, where the last transaction is torn, and silent when committed ones were spoiled. This tells the two apart.
 */
import { readFileSync } from 'node:fs'
import { fileBytes } from './files.ts'
import { PAGE_BYTES } from './connection.ts'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES
const MAGIC_LITTLE = 0x377f0682
const MAGIC_BIG = 0x377f0683

/** Pages of the log up to its last whole transaction. */
export type WalImage = {
  readonly pages: ReadonlyMap<number, Uint8Array>
  /**
   * The header is not one, or behind the first bad frame at least two transactions ended. One transaction may be torn by a power cut; a second one would not have
   * been begun before the first was on the disk.
   */
  readonly isSpoiled: boolean
}

/** Reads a log; nothing when there is none or it is empty. */
export function readWal(path: string): WalImage | undefined {
  if (!fileBytes(path)) return undefined
  const file = readFileSync(path)
  const start = readHeader(file)
  return start ? readFrames(file, start) : { pages: new Map(), isSpoiled: true }
}

type Sums = readonly [number, number]
type Start = { readonly isBig: boolean; readonly sums: Sums }

function readHeader(file: Buffer): Start | undefined {
  if (file.length < HEADER_BYTES) return undefined
  const magic = file.readUInt32BE(0)
  if (magic !== MAGIC_LITTLE && magic !== MAGIC_BIG) return undefined
  const isBig = magic === MAGIC_BIG
  const sums = addChecksum([0, 0], file.subarray(0, 24), isBig)
  const isWhole = file.readUInt32BE(24) === sums[0] && file.readUInt32BE(28) === sums[1]
  return isWhole && file.readUInt32BE(8) === PAGE_BYTES ? { isBig, sums } : undefined
}

function readFrames(file: Buffer, start: Start): WalImage {
  const pages = new Map<number, Uint8Array>()
  let open: (readonly [number, Uint8Array])[] = []
  let { sums } = start
  let at = HEADER_BYTES
  for (; at + FRAME_BYTES <= file.length; at += FRAME_BYTES) {
    const frame = file.subarray(at, at + FRAME_BYTES)
    const next = frameChecksum(file, frame, sums, start.isBig)
    if (!next) break
    sums = next
    open.push([frame.readUInt32BE(0), frame.subarray(FRAME_HEADER_BYTES)])
    if (!isCommit(frame)) continue
    for (const [page, content] of open) pages.set(page, content)
    open = []
  }
  return { pages, isSpoiled: endedTransactions(file, at) >= 2 }
}

/** The running checksum after a frame; nothing when it does not check or is left from an earlier round of the log. */
function frameChecksum(file: Buffer, frame: Buffer, sums: Sums, isBig: boolean): Sums | undefined {
  if (!hasSalt(file, frame)) return undefined
  const head = addChecksum(sums, frame.subarray(0, 8), isBig)
  const next = addChecksum(head, frame.subarray(FRAME_HEADER_BYTES), isBig)
  const isWhole = frame.readUInt32BE(16) === next[0] && frame.readUInt32BE(20) === next[1]
  return isWhole ? next : undefined
}

/** Frames of this round of the log, from a place on, that end a transaction. */
function endedTransactions(file: Buffer, from: number): number {
  let count = 0
  for (let at = from; at + FRAME_BYTES <= file.length; at += FRAME_BYTES) {
    const frame = file.subarray(at, at + FRAME_BYTES)
    if (hasSalt(file, frame) && isCommit(frame)) count++
  }
  return count
}

function hasSalt(file: Buffer, frame: Buffer): boolean {
  return file.subarray(16, 24).equals(frame.subarray(8, 16))
}

function isCommit(frame: Buffer): boolean {
  return frame.readUInt32BE(4) !== 0
}

/** SQLite's checksum: two sums over pairs of 32-bit words, in the byte order that the header names. */
function addChecksum(sums: Sums, bytes: Buffer, isBig: boolean): Sums {
  let [first, second] = sums
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    first = (first + word(bytes, at, isBig) + second) >>> 0
    second = (second + word(bytes, at + 4, isBig) + first) >>> 0
  }
  return [first, second]
}

function word(bytes: Buffer, at: number, isBig: boolean): number {
  return isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)
}
