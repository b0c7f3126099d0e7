/** Whether a port of 127.0.0.1 can be had: asked early, so that the answer does not come after a long start. */
import { once } from 'node:events'
import { createServer } from 'node:net'

/** True for 0 and for a port at which nobody listens. The answer may be old by the time it is used. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen({ host: '127.0.0.1', port })
    await once(server, 'listening')
  } catch {
    return false
  }
  const closed = once(server, 'close')
  server.close()
  await closed
  return true
}
