/** One life of a client that pays, to be killed: prints each message as it leaves. */
import { writeSync } from 'node:fs'
import { toHex } from '@byway/protocol/base'
import { encodePayMessage } from '@byway/protocol/wire'
import { liveOnce } from './client-path.ts'

const [folder = ''] = process.argv.slice(2)
await liveOnce(folder, (what, message) =>
  // At once: what a kill takes away has not left.
  writeSync(1, `${what} ${message ? toHex(encodePayMessage(message)) : ''}\n`),
)
writeSync(1, 'over \n')
