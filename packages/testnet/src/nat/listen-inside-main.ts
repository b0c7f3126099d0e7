/**
 * A program of its own, run in a namespace: listens at the loopback addresses of its arguments (`127.0.0.1 8545 …`), hands the listening sockets to whoever
 * started it, and ends. A socket belongs to the namespace in which it was made, whoever holds it.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'

const places = process.argv.slice(2)
for (let index = 0; index + 1 < places.length; index += 2) {
  const server = createServer().listen({ host: places[index], port: Number(places[index + 1]) })
  await once(server, 'listening')
  process.send?.(index / 2, server)
}
process.once('disconnect', () => process.exit())
