import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { bodyOf, cellBytesOfClass, type SizeClass } from '@byway/protocol/wire'
import { createClientTunnel } from '../../src/circuit/client-tunnel.ts'
import { createExitTunnels, type ExitTunnel } from '../../src/circuit/exit-tunnel.ts'
import { type Leg, preferredSizeClass } from '../../src/circuit/leg.ts'
import { createAckDebt, createSendWindow } from '../../src/circuit/window.ts'
import { quietHandler, zeros } from './plain-leg.ts'
import { seededBytes } from './seeded.ts'

type Path = { readonly bytesPerMs: number; readonly oneWayMs: number }
type Event = { readonly atMs: number; readonly run: () => void }

/** Downloads for `forMs` of virtual time over a path whose link to the client is the bottleneck; bytes per ms of the last half. */
function download(path: Path, forMs: number, streams: number): number {
  const events: Event[] = []
  let nowMs = 0
  const later = (atMs: number, run: () => void): void => {
    let at = events.length
    while (at > 0 && (events[at - 1]?.atMs ?? 0) > atMs) at--
    events.splice(at, 0, { atMs, run })
  }
  const randomBytes = seededBytes(1)
  const legTo = (arrive: (cell: Uint8Array) => void, onRoom: () => void): Leg => {
    let freeAtMs = 0
    let queued = 0
    return {
      layers: {
        listBytes: (sizeClass: SizeClass) => cellBytesOfClass(sizeClass) - 60,
        seal: () => {},
        open: (cell) => bodyOf(cell).subarray(0, cell.length - 60),
        openedFromHop: undefined,
      },
      hash: zeros(32),
      tunnelSecret: zeros(32),
      link: {
        send: (cell) => {
          freeAtMs = Math.max(freeAtMs, nowMs) + cell.length / path.bytesPerMs
          queued += cell.length
          later(freeAtMs, () => {
            queued -= cell.length
            onRoom()
          })
          later(freeAtMs + path.oneWayMs, () => arrive(cell))
        },
        roomBytes: () => 512 * 1024 - queued,
        preferredClass: (waiting) => preferredSizeClass(waiting, path.bytesPerMs),
      },
      window: createSendWindow(randomBytes),
      debt: createAckDebt(),
    }
  }

  const tunnels = createExitTunnels({ provider: nodeCrypto })
  let exit: ExitTunnel | undefined
  let bytes = 0
  const chunk = zeros(64 * 1024)
  const fill = (id: number): void => {
    let more = true
    while (more) more = exit?.write(id, chunk, nowMs) ?? false
  }
  const pumpExit = (): void => void exit?.pump(nowMs)
  const pumpClient = (): void => void client.pump(nowMs)
  const exitLeg: Leg = legTo((cell) => {
    assert.equal(client.onCell(clientLeg, cell, nowMs), undefined)
    pumpClient()
  }, pumpExit)
  const clientLeg: Leg = legTo((cell) => {
    if (exit) assert.equal(exit.onCell(exitLeg, cell, nowMs), undefined)
    else tunnels.onFirstCell(exitLeg, cell, nowMs, () => exitDriver)
    pumpExit()
  }, pumpClient)
  const exitDriver = {
    ...quietHandler([]),
    onOpened: (tunnel: ExitTunnel) => void (exit = tunnel),
    onBegin: (id: number) => {
      exit?.connected(id, 4)
      fill(id)
    },
    onDrained: fill,
  }
  const client = createClientTunnel({
    provider: nodeCrypto,
    tunnelId: zeros(16),
    leg: clientLeg,
    handler: {
      ...quietHandler([]),
      onData(id, view) {
        if (nowMs > forMs / 2) bytes += view.length
        client.consumed(id, view.length, nowMs)
      },
    },
  })
  for (let i = 0; i < streams; i++) client.connect({ host: 'a.example', port: 1, flags: 1 }, 0)
  pumpClient()
  for (let event = events.shift(); event && event.atMs <= forMs; event = events.shift()) {
    nowMs = event.atMs
    event.run()
  }
  return bytes / (forMs / 2)
}

describe('goodput of a whole tunnel in virtual time', () => {
  for (const [name, path, streams] of [
    ['1 MB/s at 100 ms', { bytesPerMs: 1000, oneWayMs: 50 }, 1],
    ['10 MB/s at 100 ms', { bytesPerMs: 10_000, oneWayMs: 50 }, 1],
    ['10 MB/s at 100 ms, eight streams', { bytesPerMs: 10_000, oneWayMs: 50 }, 8],
    ['100 MB/s at 1 ms', { bytesPerMs: 100_000, oneWayMs: 0.5 }, 1],
    ['100 KB/s at 300 ms', { bytesPerMs: 100, oneWayMs: 150 }, 2],
  ] as const) {
    it(`is at least 85 % of ${name}`, () => {
      const rate = download(path, path.bytesPerMs > 50_000 ? 2000 : 12_000, streams)
      assert.ok(rate > 0.85 * path.bytesPerMs, `${rate} of ${path.bytesPerMs} bytes per ms`)
    })
  }
})
