/** The receipts of a node of this state folder, and what clients showed of their slots: from the node that runs with it, or from its store. */
import { fromHex, isBywayError, toHex } from '@byway/protocol/base'
import { decodeOpening, type Opening } from '@byway/protocol/wire'
import type { Store, StoredReceipt } from '@byway/store'
import { controlError } from '../control/control-errors.ts'
import { askControl, type ProofAnswers } from '../control/control-socket.ts'
import { openOwnStore } from '../engine/own-store.ts'

/** Where receipts come from. */
export interface ReceiptSource extends AsyncDisposable {
  /** All of an epoch. @throws CONTROL_NO_ANSWER, and what the store throws */
  receipts(epoch: number): AsyncIterable<StoredReceipt>
  /** What was shown of a slot; undefined when it is not kept any more. @throws as `receipts` */
  opening(nullifier: Uint8Array): Promise<Opening | undefined>
}

/** A page is far below what an answer may hold: a receipt is 400 digits. */
const PAGE_RECEIPTS = 2000
/** Where the parts of a receipt end: nullifier, units, public key, signature. */
const RECEIPT_ENDS = [32, 36, 100, 196] as const

/** What a running node answers. */
export function proofAnswers({
  receipts,
  openings,
}: Pick<Store, 'receipts' | 'openings'>): ProofAnswers {
  return {
    async receipts(epoch, after) {
      const page = await receipts.page(epoch, after, PAGE_RECEIPTS)
      const next = page.length < PAGE_RECEIPTS ? null : (page.at(-1)?.sequence ?? null)
      return { receipts: page.map(({ receipt }) => receiptText(receipt)), next }
    },
    async opening(nullifier) {
      const found = await openings.get(fromHex(nullifier) ?? new Uint8Array())
      return { opening: found ? toHex(found.opening) : null }
    },
  }
}

/**
 * Asks the running node, or opens its store where none runs.
 * @throws what the control socket and the store throw
 */
export async function openReceipts(home: string): Promise<ReceiptSource> {
  try {
    await askControl(home, 'node', 'status')
    return liveReceipts(home)
  } catch (error) {
    if (!isBywayError(error) || error.code !== 'CONTROL_NOT_RUNNING') throw error
  }
  return storedReceipts(await openOwnStore(home, 'node'))
}

function storedReceipts(store: Store): ReceiptSource {
  return {
    receipts: (epoch) => store.receipts.ofEpoch(epoch),
    async opening(nullifier) {
      const found = await store.openings.get(nullifier)
      return found && decodeOpening(found.opening)
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function liveReceipts(home: string): ReceiptSource {
  return {
    async *receipts(epoch) {
      let after: unknown = 0
      while (typeof after === 'number') {
        const { receipts, next } = await askControl(home, 'node', `receipts ${epoch} ${after}`)
        if (!Array.isArray(receipts)) throw controlError('CONTROL_NO_ANSWER', { program: 'node' })
        for (const text of receipts as readonly unknown[]) yield receiptOfText(text, epoch)
        after = next
      }
    },
    async opening(nullifier) {
      const { opening } = await askControl(home, 'node', `opening ${toHex(nullifier)}`)
      const bytes = typeof opening === 'string' ? fromHex(opening) : undefined
      return bytes && decodeOpening(bytes)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function receiptText({ nullifier, units, publicKey, signature }: StoredReceipt): string {
  const unitBytes = new Uint8Array(4)
  new DataView(unitBytes.buffer).setUint32(0, units)
  return [nullifier, unitBytes, publicKey, signature].map(toHex).join('')
}

function receiptOfText(text: unknown, epoch: number): StoredReceipt {
  const bytes = typeof text === 'string' ? fromHex(text) : undefined
  const [afterNullifier, afterUnits, afterKey, end] = RECEIPT_ENDS
  if (bytes?.length !== end) throw controlError('CONTROL_NO_ANSWER', { program: 'node' })
  return {
    nullifier: bytes.slice(0, afterNullifier),
    epoch,
    units: new DataView(bytes.buffer, bytes.byteOffset).getUint32(afterNullifier),
    publicKey: bytes.slice(afterUnits, afterKey),
    signature: bytes.slice(afterKey),
  }
}
