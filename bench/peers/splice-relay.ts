/**
 * The process of the `splice` peer: copies bytes between each connection and 127.0.0.1:ORIGIN_PORT, with nothing else.
 * `node splice-relay.ts ORIGIN_PORT`; prints `{"port":N}` and lives until its stdin ends.
 */
import { connect, createServer, type AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'

const originPort = Number(process.argv[2])

const server = createServer({ noDelay: true, allowHalfOpen: true }, (inbound) => {
  const outbound = connect({
    host: '127.0.0.1',
    port: originPort,
    noDelay: true,
    allowHalfOpen: true,
  })
  // A broken side breaks the other (pipeline destroys both); how it broke is no concern of a splice.
  pipeline(inbound, outbound, () => undefined)
  pipeline(outbound, inbound, () => undefined)
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`)
})
process.stdin.resume().on('end', () => process.exit(0))
