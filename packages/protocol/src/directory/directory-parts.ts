/**
 * Packs descriptors into the DIRECTORY_PART messages that answer a DIRECTORY_GET (SPEC §4.4, §10.2).
 * @module
 */
import {
  DIRECTORY_ITEM_HEADER_BYTES,
  DIRECTORY_PART_HEADER_BYTES,
  LINK_MESSAGE,
  type LinkMessage,
} from '@byway/protocol/wire'

export type DirectoryPart = Extract<LinkMessage, { type: (typeof LINK_MESSAGE)['DIRECTORY_PART'] }>

/**
 * Yields the parts of one answer in order; the final one, and only it, says `last`. An empty directory is one empty part.
 *
 * @param maxBodyBytes - room for the body of one message; a descriptor that does not fit alone is left out
 */
export function* directoryParts(
  requestId: number,
  descriptors: Iterable<Uint8Array>,
  maxBodyBytes: number,
): Generator<DirectoryPart, void, undefined> {
  const type = LINK_MESSAGE.DIRECTORY_PART
  const room = maxBodyBytes - DIRECTORY_PART_HEADER_BYTES
  let batch: Uint8Array[] = []
  let usedBytes = 0
  for (const descriptor of descriptors) {
    const bytes = DIRECTORY_ITEM_HEADER_BYTES + descriptor.length
    if (bytes > room) continue
    if (usedBytes + bytes > room) {
      yield { type, requestId, last: false, descriptors: batch }
      batch = []
      usedBytes = 0
    }
    batch.push(descriptor)
    usedBytes += bytes
  }
  yield { type, requestId, last: true, descriptors: batch }
}
