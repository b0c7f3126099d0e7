/** What is wrong with a database of places (docs/PLACE.md). Contexts count the databases from 1, in the order of the settings; no path, no address. @module */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type PlaceErrors = {
  /** The file is not there, may not be read or is larger than any such database. */
  PLACE_UNREADABLE: { database: number; system: string }
  /** The file is no database in MaxMind's format, or a part of it is missing or changed: fetch it again, whole and unpacked. */
  PLACE_DAMAGED: { database: number; part: 'metadata' | 'tree' | 'data' }
  /** A database of something else: it has neither countries nor AS numbers where MaxMind and DB-IP have them. */
  PLACE_NOTHING: { database: number }
}

export type PlaceError = ErrorOf<PlaceErrors>

export const placeError: ErrorBuilder<PlaceErrors> = errorBuilder<PlaceErrors>({
  PLACE_UNREADABLE: ['config', 'cannot read the database of places'],
  PLACE_DAMAGED: ['config', 'the database of places is damaged'],
  PLACE_NOTHING: ['config', 'the database has neither countries nor AS numbers'],
})
