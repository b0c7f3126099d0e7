/** A folder for the state of a network, gone when the program ends, however it ends short of SIGKILL. */
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onExit } from './on-exit.ts'

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

/** Makes a folder that only its owner may enter. */
export async function createTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'byway-net-'))
  const removeNow = (): void => rmSync(path, REMOVE)
  const forget = onExit(removeNow)
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, REMOVE)
      forget()
    },
  }
}

/** A process that is just ending may still write into it. */
const REMOVE = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 } as const
