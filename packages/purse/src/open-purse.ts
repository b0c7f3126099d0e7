/** A purse whose keys are in this process: for single commands, and for networks on one machine. Daemons keep theirs in the signer's process. */
import { openGasMeter } from './signer/gas-meter.ts'
import { createPurseOver } from './signer/purse-over.ts'
import { fixRules, type SignerRules } from './signer/rules.ts'
import { createSignerCore } from './signer/signer-core.ts'
import type { Purse } from './purse-types.ts'
import { unlock, type UnlockOptions } from './unlock.ts'

export type OpenOptions = UnlockOptions & {
  /** Those of the network. Without them the purse signs no transaction, terms or registration. */
  readonly rules?: SignerRules | undefined
}

/**
 * Opens the purse of a state folder in this process. Disposing it overwrites the keys.
 * @throws what `unlock` throws
 */
export async function openPurse(home: string, options: OpenOptions): Promise<Purse> {
  const { ring, accounts, file } = await unlock(home, options)
  const rules = options.rules && fixRules(options.rules, options.isLocal === true)
  const limits = rules && { rules, meter: openGasMeter(home, rules.dayGasWei) }
  return await createPurseOver(
    createSignerCore({ ring, accounts, past: file.past, limits, nowMs: () => Date.now() }),
  )
}
