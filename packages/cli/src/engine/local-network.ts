/** Ties the network of processes to this program: how to run `byway` again, how to write a network file, how to ask for a status. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { NetworkParameters } from '@byway/protocol/directory'
import type { ProcessDeps } from '@byway/testnet'
import { formatNetworkFile } from '../config/network-file.ts'
import { askControl } from '../control/control-socket.ts'
import type { CliIo } from '../io.ts'
import { keyPairOf } from '../minisign/secret-key.ts'
import { formatPublicKey, KEY_ID_BYTES } from '../minisign/signature.ts'
import { mayBeUnsigned } from '../network/member-rules.ts'
import { signaturePath } from '../network/open-network.ts'
import { signNetwork } from '../network/sign-network.ts'

/** What `startProcesses` needs, for the program that runs now. */
export function processDeps(io: CliIo): ProcessDeps {
  const [node, main = ''] = process.argv
  return {
    program: [node ?? process.execPath, ...process.execArgv, main],
    env: io.env,
    writeNetwork: writeLocalNetwork,
    askStatus: (home, program) => askControl(home, program, 'status'),
  }
}

/**
 * Writes the file of a network that lives as long as this program. Where its nodes have addresses of their own (`byway testnet --nat`) it is a test network,
 * signed with a key that nobody keeps.
 */
export async function writeLocalNetwork(path: string, network: NetworkParameters): Promise<void> {
  if (mayBeUnsigned(network)) {
    await writeFile(path, formatNetworkFile(network))
    return
  }
  const pair = keyPairOf(Uint8Array.from(randomBytes(KEY_ID_BYTES)), randomBytes(32))
  const edition = { sequence: 1, publisher: formatPublicKey(pair.publicKey), isTest: true }
  const bytes = Buffer.from(formatNetworkFile({ ...network, edition }))
  const nowMs = Date.now()
  const { signature } = signNetwork({ bytes, pair, fileName: basename(path), nowMs })
  await writeFile(path, bytes)
  await writeFile(signaturePath(path), signature)
}
