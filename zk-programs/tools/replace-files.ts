/**
 * Puts new bytes in the place of several files of the project: all of them or none, whenever the machine stops. What will be there, and what was, is on the disk before the first is touched;
 * who is interrupted goes on from there.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** A file that was replaced, with the hashes of what it held and holds. */
export type Replaced = { readonly path: string; readonly before: string; readonly after: string }

/** Path below the root → what is to be there. */
export type NewFiles = ReadonlyMap<string, Uint8Array>

const FOLDER = 'zk-programs/.installed'

/** True while a replacement was begun and not ended. */
export function isHalfReplaced(root: string): boolean {
  return existsSync(join(root, FOLDER, 'pending'))
}

/** Replaces files that are there. Gives those that differ. @throws when a replacement is under way, or a file is not there: nothing has changed then */
export function replaceFiles(root: string, files: NewFiles): readonly Replaced[] {
  if (isHalfReplaced(root)) throw new Error('an earlier replacement was not ended: resume it')
  const part = join(root, FOLDER, 'pending.part')
  rmSync(part, { recursive: true, force: true })
  mkdirSync(part, { recursive: true })
  const replaced: Replaced[] = []
  for (const [path, next] of files) {
    const now = readFileSync(join(root, path))
    const [before, after] = [hashOf(now), hashOf(next)]
    if (before === after) continue
    writeDurably(join(part, `${replaced.length}.old`), now)
    writeDurably(join(part, `${replaced.length}.new`), next)
    replaced.push({ path, before, after })
  }
  writeDurably(join(part, 'index.json'), Buffer.from(JSON.stringify(replaced)))
  syncFolder(part)
  // From here on it will be done.
  renameSync(part, join(root, FOLDER, 'pending'))
  syncFolder(join(root, FOLDER))
  return resume(root)
}

/** Ends a replacement that was interrupted. Gives what it replaced; nothing where there was none. */
export function resume(root: string): readonly Replaced[] {
  if (!isHalfReplaced(root)) return []
  const [pending, last] = [join(root, FOLDER, 'pending'), join(root, FOLDER, 'last')]
  const replaced = indexIn(pending)
  for (const [number, { path }] of replaced.entries()) {
    const to = join(root, path)
    writeDurably(`${to}.part`, readFileSync(join(pending, `${number}.new`)))
    renameSync(`${to}.part`, to)
    syncFolder(dirname(to))
  }
  rmSync(last, { recursive: true, force: true })
  renameSync(pending, last)
  return replaced
}

/** Undoes the last replacement; doing it again undoes that. @throws when there was none, or a file has changed since: nothing has changed then */
export function revert(root: string): readonly Replaced[] {
  if (isHalfReplaced(root)) throw new Error('an earlier replacement was not ended: resume it')
  const last = join(root, FOLDER, 'last')
  if (!existsSync(last)) throw new Error('nothing was replaced here')
  const files = new Map<string, Uint8Array>()
  for (const [number, { path, after }] of indexIn(last).entries()) {
    if (hashOf(readFileSync(join(root, path))) !== after)
      throw new Error(`${path} has changed since it was replaced`)
    files.set(path, readFileSync(join(last, `${number}.old`)))
  }
  return replaceFiles(root, files)
}

function indexIn(folder: string): readonly Replaced[] {
  return JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as readonly Replaced[]
}

function writeDurably(path: string, bytes: Uint8Array): void {
  writeFileSync(path, bytes, { flush: true })
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  fsyncSync(folder)
  closeSync(folder)
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
