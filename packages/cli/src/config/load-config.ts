/** Reads the configuration file of the state folder, or the one that was named. */
import { join } from 'node:path'
import type { Config } from './config.ts'
import { configError } from './config-errors.ts'
import { homePath } from './home-path.ts'
import { resolveConfig } from './resolve-config.ts'
import { readTextFile, type Table } from './toml-file.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type LoadOptions = {
  readonly env: Environment
  /** From `--config`; it must exist. @default `BYWAY_CONFIG`, else `config.toml` in the state folder if there is one */
  readonly configPath?: string | undefined
  readonly flags?: Table | undefined
}

/**
 * Reads and resolves the configuration.
 * @throws CONFIG_UNREADABLE for a named file that is not there, and what `resolveConfig` throws
 */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const named = options.configPath ?? options.env['BYWAY_CONFIG']
  const file = await readTextFile(
    named ?? join(homePath(options.env), 'config.toml'),
    'config file',
  )
  if (named !== undefined && file === undefined) {
    throw configError('CONFIG_UNREADABLE', { source: 'config file', system: 'ENOENT' })
  }
  return resolveConfig({ file, env: options.env, flags: options.flags })
}
