/**
 * Descriptors in blocks that fit a cell (SPEC §10.2): raw DEFLATE of a list of them, each block by itself, so that none needs the one before and none unpacks to more
 * than a bound. What the descriptors say is not looked at.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { ITEM_HEADER_BYTES, joinDescriptors, splitDescriptors } from '@byway/protocol/directory'

/** SPEC §10.2: "unpacks to at most 32 KiB". */
export const MAX_UNPACKED_BYTES = 32_768

/**
 * Packs descriptors, in this order.
 * @param maxBytes - of a block
 */
export function* packDirectory(
  descriptors: Iterable<Uint8Array>,
  maxBytes: number,
): Generator<Uint8Array, void, undefined> {
  const roomBytes = Math.min(MAX_UNPACKED_BYTES, Math.floor(maxBytes * USUAL_GAIN))
  let batch: Uint8Array[] = []
  let batchBytes = 0
  for (const descriptor of descriptors) {
    const bytes = ITEM_HEADER_BYTES + descriptor.length
    if (batchBytes + bytes > roomBytes) {
      yield* packBatch(batch, maxBytes)
      batch = []
      batchBytes = 0
    }
    batch.push(descriptor)
    batchBytes += bytes
  }
  yield* packBatch(batch, maxBytes)
}

/** What a block holds; undefined for bytes that are no block. The views are of memory of their own. */
export function unpackDirectory(block: Uint8Array): readonly Uint8Array[] | undefined {
  try {
    const joined = inflateRawSync(block, { maxOutputLength: MAX_UNPACKED_BYTES })
    // A plain array: `slice` of a Buffer copies nothing, and who keeps one descriptor must not keep the block.
    const plain = new Uint8Array(joined.buffer, joined.byteOffset, joined.length)
    const { descriptors, isCutOff } = splitDescriptors(plain)
    return isCutOff ? undefined : descriptors
  } catch {
    return undefined
  }
}

function* packBatch(batch: readonly Uint8Array[], maxBytes: number): Generator<Uint8Array> {
  if (batch.length === 0) return
  const block = deflateRawSync(joinDescriptors(batch))
  if (block.length <= maxBytes) {
    yield block
    return
  }
  // One that fits nowhere by itself is left out.
  if (batch.length === 1) return
  const half = batch.length >> 1
  yield* packBatch(batch.slice(0, half), maxBytes)
  yield* packBatch(batch.slice(half), maxBytes)
}

/** Keys, ids and signatures do not shrink, the rest does: what a block usually holds beside its own size. A block that does not fit is halved. */
const USUAL_GAIN = 1.25
