/** Ports for programs that cannot be told "any free port, and say which". */
import { connect, createServer, type AddressInfo } from 'node:net'

/** Pause between two looks at a port. */
const LOOK_EVERY_MS = 25

/**
 * Asks the system for `count` different free TCP ports of 127.0.0.1. They are free now, not reserved: start the
 * program at once and treat a failed bind as a failed start.
 */
export async function findFreePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(0, '127.0.0.1', resolve)
      })
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Resolves once something accepts on 127.0.0.1:`port`. @throws Error after `timeoutMs`. */
export async function waitForPort(port: number, timeoutMs: number): Promise<void> {
  const endAtMs = performance.now() + timeoutMs
  while (!(await accepts(port))) {
    if (performance.now() > endAtMs)
      throw new Error(`nothing listens on port ${port} after ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
  } finally {
    socket.destroy()
  }
}
