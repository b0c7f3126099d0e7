/**
 * A program of its own, run in a namespace: takes a listening socket of its parent's namespace, and passes each connection on to a port of the loopback of its own. Ends with
 * its parent.
 */
import { connect, Server } from 'node:net'
import { joinSockets } from './join-sockets.ts'

process.once('message', (port, server) => {
  if (!(server instanceof Server)) throw new TypeError('a listening socket was expected')
  server.on('connection', (outer) =>
    joinSockets(outer, connect({ host: '127.0.0.1', port: Number(port) })),
  )
  process.send?.('carrying')
})
process.once('disconnect', () => process.exit())
