/** A purse whose keys are in this process: for single commands, and for networks on one machine. Daemons keep theirs in the signer's process. */
import type { KeyName, KeyRing } from './key-ring.ts'
import { plainDigest } from './plain-digest.ts'
import type { DepositOwner, Purse } from './purse-types.ts'
import { unlock, type UnlockOptions } from './unlock.ts'

/**
 * Opens the purse of a state folder. Disposing it overwrites the keys.
 * @throws what `unlock` throws
 */
export async function openPurse(home: string, options: UnlockOptions): Promise<Purse> {
  const { ring, accounts } = await unlock(home, options)
  const owner = (key: KeyName): Promise<DepositOwner> => Promise.resolve(depositOwner(ring, key))
  return {
    accounts,
    depositOwner: (index) => owner({ name: 'deposit', index }),
    voucherOwner: (index) => owner({ name: 'voucher', index }),
    redeemedOwners: () =>
      Promise.all(
        Array.from({ length: ring.redeemed }, (_, index) => owner({ name: 'redeemed', index })),
      ),
    sessionSecret: () => ring.secret('session'),
    storeKey: () => ring.secret('store'),
    [Symbol.asyncDispose]() {
      ring.wipe()
      return Promise.resolve()
    },
  }
}

function depositOwner(ring: KeyRing, key: KeyName): DepositOwner {
  return {
    address: ring.addressOf(key),
    signPlainProof: (statement) => Promise.resolve(ring.sign(key, plainDigest(statement))),
  }
}
