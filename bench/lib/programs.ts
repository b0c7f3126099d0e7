/** Finds the peers' programs and their versions; a missing one is a sentence, never an error. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Runs `command` and returns the first version number it prints, or nothing when it cannot be run. */
export function findVersion(command: string, args: readonly string[]): string | undefined {
  const run = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 })
  if (run.error) return undefined
  return /\d+\.\d+(?:\.\d+)*/.exec(`${run.stdout}${run.stderr}`)?.[0]
}

/** Returns the first of `paths` that exists. */
export function findFile(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path))
}

/** The sentence for a peer that is not installed. */
export function missing(program: string): string {
  return `${program} is not installed; bench/install-peers.sh installs it`
}
