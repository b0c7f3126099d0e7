/** What goes wrong with the files that only their owner may read. Contexts name the file's purpose, never its content. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type HomeErrors = {
  /** The folder of Byway's state (`$BYWAY_HOME`) belongs to another user: choose another one. */
  HOME_NOT_OWNED: Record<string, never>
  /** The folder of Byway's state cannot be made or read; the cause is the system's code. */
  HOME_UNUSABLE: { system: string }
  /** Others on this machine may read or change a file that must be private: `chmod 600` it, and replace the key if it held one. */
  HOME_FILE_OPEN: { file: string }
}

export type HomeError = ErrorOf<HomeErrors>

export const homeError: ErrorBuilder<HomeErrors> = errorBuilder<HomeErrors>({
  HOME_NOT_OWNED: ['local', 'the state folder belongs to another user'],
  HOME_UNUSABLE: ['local', 'the state folder cannot be used'],
  HOME_FILE_OPEN: ['local', 'a private file can be read by others'],
})
