/**
 * The exit record (SPEC §10.6): spans of exits with the signed editions that show them, and the signed heads of pages. What they mean is the core's.
 * @module
 */
import type { Condition, StoredRow, Submit, SubmitAll } from '../operation.ts'
import { bytesOf, numberOf, pages } from './row.ts'

/** A span as it is kept. */
export type KeptExit = {
  readonly nodeId: Uint8Array
  readonly name: Uint8Array
  readonly fromS: number
  /** 0 while it goes on. */
  readonly untilS: number
  readonly expiresS: number
  /** Signed editions. */
  readonly first: Uint8Array
  readonly last: Uint8Array
  /** Where its end stands; undefined before a page has it. */
  readonly sealed:
    | { readonly page: number; readonly place: number; readonly path: Uint8Array }
    | undefined
}

export interface ExitRecords {
  /** Writes a span, in place of what was kept of it. */
  put(span: KeptExit): Promise<void>
  /** A span has a new last edition. */
  goOn(span: SpanKey & Pick<KeptExit, 'expiresS' | 'last'>): Promise<void>
  /** A span is over. */
  end(span: SpanKey & Pick<KeptExit, 'untilS'>): Promise<void>
  /** What is not sealed on a page, in the order in which it began. */
  unsealed(): AsyncIterable<KeptExit>
  /** What was sealed on a page. */
  ofPage(page: number): AsyncIterable<KeptExit>
  /** Spans of a name that began by then and go on, or ended then or later, at most so many: the oldest first. */
  ofNameAt(name: Uint8Array, atS: number, limit: number): Promise<readonly KeptExit[]>
  /** All spans of a name, the oldest first. */
  ofName(name: Uint8Array): AsyncIterable<KeptExit>
  /** Writes a page's head and what is sealed on it, all or none. */
  close(page: number, head: Uint8Array, sealed: readonly ExitSeal[]): Promise<void>
  /** All heads, oldest first. */
  heads(): Promise<readonly Uint8Array[]>
  /** Forgets the pages before this one, and what was sealed on them; gives the number of spans. */
  forgetBefore(page: number): Promise<number>
  /** Forgets so many spans that were sealed on these pages, the oldest first; gives their number. */
  forgetOldest(onPages: readonly number[], limit: number): Promise<number>
}

type SpanKey = Pick<KeptExit, 'nodeId' | 'name' | 'fromS'>

/** Where the end of a span stands. */
export type ExitSeal = SpanKey & {
  readonly place: number
  readonly path: Uint8Array
}

const SPANS = 'exit_span'
const PAGES = 'exit_page'
/** Above every page, so that what is not sealed is not older than any. */
const UNSEALED = 2 ** 32

export function createExitRecords(submit: Submit, submitAll: SubmitAll): ExitRecords {
  return {
    async put(span) {
      const { untilS, expiresS, first, last, sealed } = span
      const row = { ...keyOf(span), until_s: untilS, expires_s: expiresS, first, last }
      const place = { page: sealed?.page ?? UNSEALED, place: placeOf(sealed) }
      await submit({ verb: 'put', table: SPANS, row: { ...row, ...place } })
    },
    async goOn(span) {
      const set = { expires_s: span.expiresS, last: span.last }
      await submit({ verb: 'change', table: SPANS, key: keyOf(span), set, when: [] })
    },
    async end(span) {
      const set = { until_s: span.untilS }
      await submit({ verb: 'change', table: SPANS, key: keyOf(span), set, when: [] })
    },
    unsealed: () => ofPage(submit, UNSEALED),
    ofPage: (page) => ofPage(submit, page),
    async ofNameAt(name, atS, limit) {
      const begun = [
        { column: 'name', is: name },
        { column: 'from_s', below: atS + 1 },
      ]
      const list = async (end: Condition): Promise<readonly StoredRow[]> => {
        const when = [...begun, end]
        return await submit({ verb: 'list', table: SPANS, when, after: 0, limit })
      }
      const over = await list({ column: 'until_s', above: atS - 1 })
      const open = await list({ column: 'until_s', is: 0 })
      const byPlace = [...over, ...open].toSorted((a, b) => a.sequence - b.sequence)
      return byPlace.slice(0, limit).map(toSpan)
    },
    async *ofName(name) {
      for await (const row of pages(submit, SPANS, [{ column: 'name', is: name }]))
        yield toSpan(row)
    },
    async close(page, head, sealed) {
      await submitAll((within) => {
        for (const seal of sealed) {
          const set = { page, place: placeOf(seal) }
          void within({ verb: 'change', table: SPANS, key: keyOf(seal), set, when: [] })
        }
        void within({ verb: 'insert', table: PAGES, row: { page, head } })
      })
    },
    async heads() {
      const heads: Uint8Array[] = []
      for await (const { row } of pages(submit, PAGES, [])) heads.push(bytesOf(row, 'head'))
      return heads
    },
    async forgetBefore(page) {
      const when = [{ column: 'page', below: page }]
      await submit({ verb: 'remove', table: PAGES, when })
      return await submit({ verb: 'remove', table: SPANS, when })
    },
    async forgetOldest(onPages, limit) {
      const when = [{ column: 'page', is: onPages }]
      return (await submit({ verb: 'take', table: SPANS, when, limit })).length
    },
  }
}

async function* ofPage(submit: Submit, page: number): AsyncGenerator<KeptExit> {
  for await (const row of pages(submit, SPANS, [{ column: 'page', is: page }])) yield toSpan(row)
}

function keyOf({ nodeId, name, fromS }: SpanKey) {
  return { node: nodeId, name, from_s: fromS }
}

/** `u32 place ‖ path`; nothing before it is sealed. */
function placeOf(sealed: Pick<ExitSeal, 'place' | 'path'> | undefined): Uint8Array {
  if (!sealed) return new Uint8Array(0)
  const bytes = new Uint8Array(PLACE_BYTES + sealed.path.length)
  new DataView(bytes.buffer).setUint32(0, sealed.place)
  bytes.set(sealed.path, PLACE_BYTES)
  return bytes
}

function toSpan({ row }: StoredRow): KeptExit {
  const [page, place] = [numberOf(row, 'page'), bytesOf(row, 'place')]
  return {
    nodeId: bytesOf(row, 'node'),
    name: bytesOf(row, 'name'),
    fromS: numberOf(row, 'from_s'),
    untilS: numberOf(row, 'until_s'),
    expiresS: numberOf(row, 'expires_s'),
    first: bytesOf(row, 'first'),
    last: bytesOf(row, 'last'),
    sealed: page === UNSEALED ? undefined : { page, ...readPlace(place) },
  }
}

function readPlace(bytes: Uint8Array): { place: number; path: Uint8Array } {
  const place = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  return { place, path: bytes.slice(PLACE_BYTES) }
}

const PLACE_BYTES = 4
