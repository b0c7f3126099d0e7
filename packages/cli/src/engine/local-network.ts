/** Ties the network of processes to this program: how to run `byway` again, how to write a network file, how to ask for a status. */
import type { ProcessDeps } from '@byway/testnet'
import { formatNetworkFile } from '../config/network-file.ts'
import { askControl } from '../control/control-socket.ts'
import type { CliIo } from '../io.ts'

/** What `startProcesses` needs, for the program that runs now. */
export function processDeps(io: CliIo): ProcessDeps {
  const [node, main = ''] = process.argv
  return {
    program: [node ?? process.execPath, ...process.execArgv, main],
    env: io.env,
    formatNetwork: formatNetworkFile,
    askStatus: (home, program) => askControl(home, program, 'status'),
  }
}
