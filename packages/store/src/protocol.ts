/** What the two threads of a store tell each other. */
import type { BywayError } from '@byway/protocol/base'
import { storeError, type StoreError } from './errors.ts'
import type { Operation } from './operation.ts'
import type { OpeningReport, StoreHealth } from './store.ts'

/** What the worker is started with. */
export type WorkerSettings = {
  readonly folder: string
  readonly name: string
  readonly key: Uint8Array
  readonly maxBytes: number
}

/** Operations that are done all or none. */
export type Group = readonly Operation[]

/** `groups` are done in one transaction of the disk, each by itself. */
export type ToWorker =
  | { readonly kind: 'work'; readonly groups: readonly Group[] }
  | { readonly kind: 'close' }

/** What became of a group: what each of its operations gave, or why none was done. */
export type GroupResult =
  | { readonly given: readonly unknown[] }
  | { readonly error: PlainStoreError }

export type FromWorker =
  | { readonly kind: 'opened'; readonly report: OpeningReport }
  | { readonly kind: 'refused'; readonly error: PlainStoreError }
  | { readonly kind: 'worked'; readonly results: readonly GroupResult[] }
  | { readonly kind: 'health'; readonly health: StoreHealth }

/** An error as it crosses the threads. */
export type PlainStoreError = {
  readonly code: StoreError['code']
  readonly context: StoreError['context']
}

export function plainError({ code, context }: StoreError): PlainStoreError {
  return { code, context }
}

/** Makes the error again on the other side, with the caller's stack. */
export function errorFrom({ code, context }: PlainStoreError): StoreError {
  const build = storeError as (code: string, context: unknown) => BywayError
  return build(code, context) as StoreError
}
