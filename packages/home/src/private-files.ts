/**
 * The state folder and the files in it that only their owner may read (docs/THREAT-MODEL.md, T31): the folder is 0700, files are 0600,
 * looser files are refused, and a file is replaced as a whole or not at all. Nothing is encrypted here.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { homeError } from './home-errors.ts'

/** Bits with which group and others could read, change or list. */
const FOREIGN_BITS = 0o077

/**
 * Makes the folder, or closes an own one to others.
 * @throws HOME_NOT_OWNED for another user's folder, HOME_UNUSABLE when the system refuses
 */
export async function openHome(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const found = await stat(path)
    if (isForeign(found.uid)) throw homeError('HOME_NOT_OWNED', {})
    if (!found.isDirectory()) throw homeError('HOME_UNUSABLE', { system: 'ENOTDIR' })
    if ((found.mode & FOREIGN_BITS) !== 0 && hasOwners()) await chmod(path, 0o700)
  } catch (error) {
    throw isSystemError(error)
      ? homeError('HOME_UNUSABLE', { system: error.code }, { cause: error })
      : error
  }
}

/**
 * Reads a private file; `undefined` when there is none.
 * @throws HOME_FILE_OPEN when others may read or change it
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  let file
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    const found = await file.stat()
    const isOpen = (found.mode & FOREIGN_BITS) !== 0 || isForeign(found.uid)
    if (isOpen && hasOwners()) throw homeError('HOME_FILE_OPEN', { file: basename(path) })
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** Writes a private file: into a new one, to the disk, then over the old one. After a power cut either the old or the new is there. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const fresh = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(fresh, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** Removes a private file; says whether there was one. */
export async function removePrivateFile(path: string): Promise<boolean> {
  try {
    await rm(path)
    return true
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return false
    throw error
  }
}

async function syncFolder(path: string): Promise<void> {
  if (!hasOwners()) return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Windows has neither owners nor modes in this sense. */
function hasOwners(): boolean {
  return process.getuid !== undefined
}

function isForeign(uid: number): boolean {
  return hasOwners() && uid !== process.getuid?.()
}

function isSystemError(error: unknown): error is Error & { code: string } {
  return (
    error instanceof Error &&
    'syscall' in error &&
    'code' in error &&
    typeof error.code === 'string'
  )
}
