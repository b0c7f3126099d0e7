/** What this program knows of addresses (docs/PLACE.md): the databases of the settings, and the table that comes with it. Read at the start, off every hot path. */
import { basename, resolve } from 'node:path'
import { openBuiltInPlaces, openPlaceDatabase } from '@byway/host'
import type { OriginBooks } from '@byway/protocol/directory'
import type { PlaceConfig } from '../config/config.ts'

/** What was opened, and what the user should hear about it once. */
export type PlaceBooks = { readonly books: OriginBooks; readonly notices: readonly string[] }

export type PlaceBooksInput = {
  readonly config: PlaceConfig
  /** The state folder, from which paths count that do not begin at the root. */
  readonly home: string
  /** The addresses of a local network are in no table but its own. */
  readonly isLocal: boolean
  readonly nowMs: number
}

// Local limits (tunable): docs/LIMITS.md.
/** Publishers make a new database each week or month; blocks of addresses move between countries all the time. */
const OLD_DATABASE_MS = 180 * 86_400_000

/** Opens what the settings name. @throws PLACE_UNREADABLE, PLACE_DAMAGED, PLACE_NOTHING */
export async function openPlaceBooks(input: PlaceBooksInput): Promise<PlaceBooks> {
  const { config, home, isLocal, nowMs } = input
  const databases = await Promise.all(
    config.databases.map(async (path, index) => {
      const book = await openPlaceDatabase(resolve(home, path), index + 1)
      return { path, book }
    }),
  )
  const notices = databases
    .filter(({ book }) => nowMs - book.builtAtMs > OLD_DATABASE_MS)
    .map(({ path, book }) => oldText(basename(path), nowMs - book.builtAtMs))
  return {
    books: {
      databases: databases.map(({ book }) => book),
      builtIn: config.builtIn && !isLocal ? await openBuiltInPlaces() : undefined,
    },
    notices,
  }
}

function oldText(name: string, ageMs: number): string {
  const months = Math.floor(ageMs / (30 * 86_400_000))
  return `${name} is ${months} months old: some addresses are in other countries by now. Fetch a newer one`
}
