/** What goes wrong between a network file, who signed it, and what this state folder knows of its publisher. Keys are named by their ids. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type NetworkErrors = {
  /** A network that is not on this machine alone needs a signature beside its file, and there is none. */
  NETWORK_UNSIGNED: Record<string, never>
  /** The signature is not one of this file: `fault` is `form`, `algorithm`, `key`, `file` or `comment`. */
  NETWORK_SIGNATURE: { fault: string }
  /** Signed by another key than the one that this state folder, the settings or the file itself names. */
  NETWORK_PUBLISHER: { wanted: string; found: string; hint?: string | undefined }
  /** An older edition than one that was used before, or another one with the same number. */
  NETWORK_ROLLBACK: { seen: number; found: number }
  /** The edition ended before today. */
  NETWORK_EXPIRED: { expired: string }
  /** Too few first contacts: whoever runs them would decide what a new client sees. */
  NETWORK_FEW_CONTACTS: { counted: number; least: number }
  /** What this state folder knows of the publisher cannot be read. It is not made anew by itself: that would let anybody in. */
  NETWORK_PUBLISHER_DAMAGED: { file: string }
  /** The file with the publisher's secret key is none: `fault` is `form`, `algorithm` or `cost`. */
  NETWORK_KEY: { fault: string }
  /** The passphrase does not open the publisher's key, or the key's file is damaged. */
  NETWORK_KEY_PASSPHRASE: Record<string, never>
}

export type NetworkError = ErrorOf<NetworkErrors>

export const networkError: ErrorBuilder<NetworkErrors> = errorBuilder<NetworkErrors>({
  NETWORK_UNSIGNED: ['config', 'the network file is not signed'],
  NETWORK_SIGNATURE: ['config', 'the signature of the network file does not hold'],
  NETWORK_PUBLISHER: ['config', 'the network file is signed by another publisher'],
  NETWORK_ROLLBACK: ['config', 'the network file is no newer than one that was used before'],
  NETWORK_EXPIRED: ['config', 'the network file has expired'],
  NETWORK_FEW_CONTACTS: ['config', 'the network file names too few first contacts'],
  NETWORK_PUBLISHER_DAMAGED: ['local', 'what is known of the network’s publisher cannot be read'],
  NETWORK_KEY: ['config', 'not a secret key of a publisher'],
  NETWORK_KEY_PASSPHRASE: ['config', 'the publisher’s key does not open'],
})
