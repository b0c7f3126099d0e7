/**
 * Files that are too large for a repository: each user makes them once.
 * @module
 */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A file as the manifest pins it. */
export type ManifestEntry = {
  readonly sha256: string
  readonly bytes: number
  /** Made by `npm run zk -- PROGRAM` and kept in the user's cache. */
  readonly isOnDemand?: boolean
}

/** Where such files are kept: `$XDG_CACHE_HOME/byway/zk`, `~/.cache` where that is not set. */
export function onDemandFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return join(cache, 'byway', 'zk')
}

/** Where such a file is kept. Another version has another name. */
export function onDemandPath(name: string, sha256: string): string {
  return join(onDemandFolder(), `${sha256.slice(0, 16)}-${name}`)
}
