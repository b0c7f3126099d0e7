/** Takes damaged rows out of a store that is otherwise sound, into a side file that people can read. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import type { FullRow } from './row-mac.ts'
import { sideFile, syncFolder, type StorePaths } from './files.ts'
import type { Verified } from './verify.ts'

/** Writes the damaged rows down, one a line, before they are removed; gives the file's name, or nothing when there is none to write. */
export function writeSideFile(paths: StorePaths, found: readonly Verified[]): string | undefined {
  const lines = found.flatMap(({ table, damaged }) =>
    damaged.map((full) => `${JSON.stringify(readable(table.shape.name, full))}\n`),
  )
  if (lines.length === 0) return undefined
  const path = sideFile(paths, 'jsonl')
  const file = openSync(path, 'wx', 0o600)
  try {
    for (const line of lines) writeSync(file, line)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  syncFolder(paths.folder)
  return basename(path)
}

function readable(table: string, { sequence, revision, row }: FullRow): unknown {
  const cells = Object.entries(row).map(([column, cell]) => [
    column,
    cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : cell,
  ])
  return { table, sequence, revision, row: Object.fromEntries(cells) as unknown }
}
