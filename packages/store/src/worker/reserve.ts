/**
 * Space kept free for the day on which the disk is full (SECURITY R24): a file of a megabyte, and as much of the store's own quota. It is given up when a write does not
 * fit, so that the wins of tickets that are already on their way can still be written, and taken back once there is room.
 */
import { randomFillSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { PAGE_BYTES, type Connection } from './connection.ts'
import { asStoreError } from './sqlite-fault.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Kept free for writes that cannot be refused any more. */
const RESERVE_BYTES = 1024 * 1024
/** Taken back only with this much room, in reserves, so that the store does not go back and forth. */
const ROOM_RESERVES = 3

export class Reserve {
  readonly #path: string
  readonly #maxBytes: number
  readonly #connection: Connection
  #isHeld = false

  constructor(path: string, maxBytes: number, connection: Connection) {
    this.#path = path
    this.#maxBytes = maxBytes
    this.#connection = connection
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Gives the space up; false when it was given up before. */
  release(): boolean {
    if (!this.#isHeld) return false
    this.#isHeld = false
    rmSync(this.#path, { force: true })
    this.#limitPages(this.#maxBytes)
    return true
  }

  /** Takes the space, if there is room; says whether it is held. */
  hold(): boolean {
    if (this.#isHeld) return true
    const quota = this.#maxBytes - RESERVE_BYTES
    if (this.#usedBytes() > quota || !this.#hasRoom() || !this.#writeFile()) return false
    this.#limitPages(quota)
    this.#isHeld = true
    return true
  }

  #usedBytes(): number {
    const pages = this.#connection.pragma('page_count') - this.#connection.pragma('freelist_count')
    return pages * PAGE_BYTES
  }

  #hasRoom(): boolean {
    if (this.#fileBytes() === RESERVE_BYTES) return true
    const { bavail, bsize } = statfsSync(dirname(this.#path))
    return bavail * bsize >= ROOM_RESERVES * RESERVE_BYTES
  }

  /** Random bytes: a disk that compresses keeps no space for zeros. */
  #writeFile(): boolean {
    if (this.#fileBytes() === RESERVE_BYTES) return true
    try {
      const file = openSync(this.#path, 'w', 0o600)
      try {
        writeSync(file, randomFillSync(Buffer.alloc(RESERVE_BYTES)))
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      return this.#fileBytes() === RESERVE_BYTES
    } catch (error) {
      rmSync(this.#path, { force: true })
      if (asStoreError(error)?.code === 'STORE_FULL') return false
      throw error
    }
  }

  #fileBytes(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0
  }

  #limitPages(bytes: number): void {
    this.#connection.exec(`PRAGMA max_page_count=${Math.floor(bytes / PAGE_BYTES)}`)
  }
}
