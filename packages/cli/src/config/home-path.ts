/** Where the state of this user's Byway is kept. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The state folder: `$BYWAY_HOME`, else `~/.byway`. It need not exist yet. */
export function homePath(env: Readonly<Record<string, string | undefined>>): string {
  const chosen = env['BYWAY_HOME']
  return chosen ? resolve(chosen) : join(homedir(), '.byway')
}
