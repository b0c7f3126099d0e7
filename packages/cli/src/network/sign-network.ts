/** Signs a network file (SPEC §18.2): refuses one that no member would take. Raises no sequence, and changes nothing in the file. */
import {
  formatPublicKey,
  keyIdText,
  parsePublicKey,
  signFile,
  type KeyPair,
} from '../minisign/signature.ts'
import { judgeFile, parseBytes } from './judge-file.ts'
import { assertUsable, requireEdition, type SignedNetwork } from './member-rules.ts'
import { networkError } from './network-errors.ts'

export type SignRequest = {
  readonly bytes: Uint8Array
  readonly pair: KeyPair
  /** The file's own name, for the comment that is signed with it. */
  readonly fileName: string
  readonly nowMs: number
}

export type SignedFile = { readonly network: SignedNetwork; readonly signature: string }

/**
 * Signs; `signature` is the text of the `.minisig` to be put beside the file.
 * @throws what `parseNetworkFile` throws, NETWORK_PUBLISHER when the file names another key than this one, and what `judgeFile` throws
 */
export function signNetwork({ bytes, pair, fileName, nowMs }: SignRequest): SignedFile {
  const network = parseBytes(bytes)
  const own = formatPublicKey(pair.publicKey)
  const hint = `write sequence = 1 and publisher = "${own}" at the top of the file`
  const signed = requireEdition(network, hint)
  const { sequence, publisher } = signed.edition
  if (publisher !== own) {
    const named = parsePublicKey(publisher)
    throw networkError('NETWORK_PUBLISHER', {
      wanted: named ? keyIdText(named.id) : '',
      found: keyIdText(pair.publicKey.id),
      hint: `sign with the key that the file names, or write publisher = "${own}" into it`,
    })
  }
  assertUsable(signed, nowMs)
  const made = `timestamp:${Math.floor(nowMs / 1000)}`
  const comment = [made, `file:${shown(fileName)}`, `network:${network.name}`]
  const fields = [...comment, `sequence:${sequence}`, 'hashed']
  const signature = signFile(pair, bytes, fields.join('\t'))
  judgeFile({ network, bytes, signature, believed: undefined, given: own, nowMs })
  return { network: signed, signature }
}

/** A file's name may hold what no comment can. */
function shown(fileName: string): string {
  return fileName.replace(/\p{C}/gu, '_').slice(0, MAX_NAME_CHARS)
}

/** Longer than any system's file names; the comment takes 8192. */
const MAX_NAME_CHARS = 255
