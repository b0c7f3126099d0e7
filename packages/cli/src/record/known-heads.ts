/**
 * The newest head of an exit record that each witness has shown here, `exit-heads.json` of the state folder: a witness that rewrites its record contradicts what it showed before
 * (SPEC §10.6).
 */
import { join } from 'node:path'
import { openHome, readPrivateFile, writePrivateFile } from '@byway/home'
import { fromHex, toHex } from '@byway/protocol/base'

const FILE_NAME = 'exit-heads.json'

// Local limits (tunable): docs/LIMITS.md.
/** Witnesses remembered; who was heard of longest ago goes first. */
const MAX_WITNESSES = 4096

export interface KnownHeads {
  get(witness: Uint8Array): Uint8Array | undefined
  set(witness: Uint8Array, head: Uint8Array): void
  /** @throws HOME_UNUSABLE, and what writing throws */
  save(): Promise<void>
}

/** What cannot be read is forgotten: it only makes contradictions visible. @throws HOME_FILE_OPEN */
export async function openKnownHeads(home: string): Promise<KnownHeads> {
  const path = join(home, FILE_NAME)
  const heads = parse(await readPrivateFile(path))
  return {
    get(witness) {
      const text = heads.get(toHex(witness))
      return text === undefined ? undefined : fromHex(text)
    },
    set(witness, head) {
      const key = toHex(witness)
      heads.delete(key)
      heads.set(key, toHex(head))
      const [oldest] = heads.keys()
      if (heads.size > MAX_WITNESSES && oldest !== undefined) heads.delete(oldest)
    },
    async save() {
      await openHome(home)
      await writePrivateFile(path, `${JSON.stringify(Object.fromEntries(heads))}\n`)
    },
  }
}

function parse(text: string | undefined): Map<string, string> {
  try {
    const read = JSON.parse(text ?? '{}') as Readonly<Record<string, unknown>>
    const entries = Object.entries(read).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, value] as const] : [],
    )
    return new Map(entries)
  } catch {
    return new Map()
  }
}
