/**
 * What the directory folder throws: never for a peer's bytes, which are refused with a result.
 * @module
 */
import { type ErrorBuilder, errorBuilder, type ErrorOf } from '@byway/protocol/base'

/** Context carried by each code. One row here is one row of docs/ERRORS.md. */
type DirectoryErrors = {
  /** The stored guards cannot be read; starting with new ones is for the user to decide. */
  DIRECTORY_GUARD_STATE: { field: string }
}

/** Every error this folder throws. */
export type DirectoryError = ErrorOf<DirectoryErrors>

/** Builds, does not throw. */
export const directoryError: ErrorBuilder<DirectoryErrors> = errorBuilder<DirectoryErrors>({
  DIRECTORY_GUARD_STATE: ['local', 'the stored guards cannot be read'],
})
