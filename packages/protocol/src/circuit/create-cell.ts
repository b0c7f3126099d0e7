/**
 * Makes CREATE, CREATED and DESTROY cells (SPEC §4.2, §5.2, §5.4) around what the handshake gave. Used by the client and by each hop.
 * @module
 */
import { type CryptoProvider, mac1, mac1Key } from '@byway/protocol/crypto'
import {
  bodyOf,
  type CloseReason,
  COMMAND,
  type Created,
  type Extend,
  type Position,
  SIZE_CLASS,
  cellBytesOfClass,
  stampKind,
  writeCreate,
  writeCreated,
  writeDestroyBody,
} from '@byway/protocol/wire'

/** What a CREATE says and to whom. */
export type CreateContent = Extend & { readonly position: Position }

/** Makes a CREATE cell, mac1 included; the link stamps its circuit id. */
export function createCell(provider: CryptoProvider, content: CreateContent): Uint8Array {
  const cell = emptyCell(COMMAND.CREATE)
  const views = writeCreate(bodyOf(cell), content)
  const key = mac1Key(provider, content.nodeId, content.onionKeyId)
  views.mac1.set(mac1(provider, key, views.macInput))
  return cell
}

/** Makes a CREATED cell; the link stamps its circuit id. */
export function createdCell(created: Created): Uint8Array {
  const cell = emptyCell(COMMAND.CREATED)
  writeCreated(bodyOf(cell), created)
  return cell
}

/** Makes a DESTROY cell (SPEC §4.2); the link stamps its circuit id. */
export function destroyCell(reason: CloseReason): Uint8Array {
  const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
  stampKind(cell, COMMAND.DESTROY, SIZE_CLASS.SMALL)
  writeDestroyBody(bodyOf(cell), reason)
  return cell
}

function emptyCell(command: typeof COMMAND.CREATE | typeof COMMAND.CREATED): Uint8Array {
  const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.MEDIUM))
  stampKind(cell, command, SIZE_CLASS.MEDIUM)
  return cell
}
