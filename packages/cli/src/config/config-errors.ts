/** What is wrong with a configuration or a network file. Contexts name the key and where it came from, not the value. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type ConfigErrors = {
  /** The file is not TOML: look at the line. */
  CONFIG_SYNTAX: { source: string; line: number }
  /** The file named does not exist or cannot be read. */
  CONFIG_UNREADABLE: { source: string; system: string; hint?: string }
  /** No such setting: a misspelt key must not pass for a choice. */
  CONFIG_UNKNOWN_KEY: { source: string; key: string }
  /** The setting's value is of another type or out of range. */
  CONFIG_VALUE: { source: string; key: string; problem: string; hint?: string | undefined }
}

export type ConfigError = ErrorOf<ConfigErrors>

export const configError: ErrorBuilder<ConfigErrors> = errorBuilder<ConfigErrors>({
  CONFIG_SYNTAX: ['config', 'not valid TOML'],
  CONFIG_UNREADABLE: ['config', 'cannot read the file'],
  CONFIG_UNKNOWN_KEY: ['config', 'unknown setting'],
  CONFIG_VALUE: ['config', 'bad value'],
})
