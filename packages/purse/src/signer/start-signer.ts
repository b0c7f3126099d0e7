/** A purse whose keys are in a process of their own, for daemons (docs/adr/0013-signer-process.md). */
import { readPurseFile } from '../purse-file.ts'
import { purseError } from '../errors.ts'
import type { Purse } from '../purse-types.ts'
import { createPurseOver } from './purse-over.ts'
import { fixRules, type SignerRules } from './rules.ts'
import { startSignerProcess, type SignerProcess } from './signer-process.ts'

export type SignerOptions = {
  readonly rules: SignerRules
  /**
   * Gives the passphrase each time the signer is started: at the beginning, and once it was lost. Reads a file or a credential; one that asked a person should reject the
   * second time. Undefined for a purse of a local network.
   */
  readonly passphrase: () => Promise<string | undefined>
  /** True in a network on one machine. */
  readonly isLocal: boolean
  readonly nowMs: () => number
}

/** A purse in the signer's process. */
export interface SignerPurse extends Purse {
  /** Of the process at work, for `status` and tests. */
  pid(): number
}

// Local limits (tunable): docs/LIMITS.md.
/** A signer that dies at once is not started in a circle. */
const RESTART_PAUSE_MS = 10_000

/**
 * Starts the signer and opens the purse of a state folder in it. A signer that dies is started again with the next request, at most every ten seconds. It dies with this
 * process, however that ends.
 * @throws what `unlock` throws, PURSE_SIGNER when the process does not start
 */
export async function startSigner(home: string, options: SignerOptions): Promise<SignerPurse> {
  // In this process, since a missing or open file needs no other one to find out.
  await readPurseFile(home)
  const { isLocal } = options
  const rules = fixRules(options.rules, isLocal)
  const start = async (): Promise<SignerProcess> =>
    await startSignerProcess({ home, isLocal, rules, passphrase: await options.passphrase() })
  let current = await start()
  let startedAtMs = options.nowMs()
  let starting: Promise<void> | undefined
  let isClosed = false
  const restart = async (): Promise<void> => {
    if (isClosed || options.nowMs() - startedAtMs < RESTART_PAUSE_MS) {
      throw purseError('PURSE_LOCKED', {})
    }
    startedAtMs = options.nowMs()
    current = await start()
  }
  const purse = await createPurseOver(
    async (request) => {
      if (request.verb === 'lock') isClosed = true
      else if (!current.isAlive())
        await (starting ??= restart().finally(() => (starting = undefined)))
      return await current.ask(request)
    },
    async () => {
      current.close()
      await current.ended
    },
  )
  return { ...purse, pid: () => current.pid }
}
