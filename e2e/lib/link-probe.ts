/**
 * Measures a link from inside namespaces. `link-probe.ts serve ADDRESS` answers on a TCP and a UDP port of the same
 * number (it prints it) until its stdin ends; `link-probe.ts rtt|bulk|udp ADDRESS PORT COUNT` measures and prints JSON.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** What the measuring modes print. */
export type ProbeResult = {
  /** rtt: round trips in milliseconds. */
  readonly timesMs?: readonly number[]
  /** bulk: payload bits per second between the first and the last byte. */
  readonly bitsPerSecond?: number
  /** udp: datagrams that came back. */
  readonly answers?: number
}

/** How long the last datagrams may take to return. */
const UDP_LINGER_MS = 1_000

async function serve(address: string): Promise<void> {
  const tcp = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', (head) => {
      const wanted = Number(/^bulk (\d+)\n/.exec(head.toString())?.[1] ?? 0)
      if (wanted > 0) socket.end(Buffer.alloc(wanted))
      else socket.write(head, () => socket.pipe(socket))
    })
  })
  await new Promise<void>((resolve) => tcp.listen(0, address, resolve))
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4', (message, from) => udp.send(message, from.port, from.address))
  await new Promise<void>((resolve) => udp.bind(port, address, resolve))
  process.stdout.write(`${port}\n`)
  process.stdin.resume().on('end', () => process.exit(0))
}

async function measureRtt(address: string, port: number, count: number): Promise<ProbeResult> {
  const socket = connect({ host: address, port, noDelay: true })
  await once(socket, 'connect')
  const timesMs: number[] = []
  while (timesMs.length < count) {
    const startMs = performance.now()
    socket.write('x')
    await once(socket, 'data')
    timesMs.push(performance.now() - startMs)
  }
  socket.destroy()
  return { timesMs }
}

async function measureBulk(
  address: string,
  port: number,
  wantedBytes: number,
): Promise<ProbeResult> {
  const socket = connect({ host: address, port })
  socket.write(`bulk ${wantedBytes}\n`)
  let bytes = 0
  let startMs = 0
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    if (startMs === 0) startMs = performance.now()
    else bytes += chunk.length
  }
  return { bitsPerSecond: (bytes * 8 * 1000) / (performance.now() - startMs) }
}

async function measureUdp(address: string, port: number, count: number): Promise<ProbeResult> {
  const socket = createSocket('udp4')
  let answers = 0
  socket.on('message', () => answers++)
  for (let sent = 0; sent < count; sent++) {
    await new Promise((resolve) => socket.send('x', port, address, resolve))
    if (sent % 20 === 19) await delay(1)
  }
  await delay(UDP_LINGER_MS)
  socket.close()
  return { answers }
}

const [mode = '', address = '', port = '0', count = '0'] = process.argv.slice(2)
if (mode === 'serve') {
  await serve(address)
} else {
  const measure = { rtt: measureRtt, bulk: measureBulk, udp: measureUdp }[mode]
  if (!measure) throw new Error(`no such mode: ${mode}`)
  process.stdout.write(`${JSON.stringify(await measure(address, Number(port), Number(count)))}\n`)
}
