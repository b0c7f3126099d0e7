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

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

type Path = { readonly bytesPerMs: number; readonly oneWayMs: number }
type Event = { readonly atMs: number; readonly run: () => void }

/** Streams that the application opens and never reads: none, one in the tunnel of those that it reads, or one in a tunnel of its own on the same link. */
type Stalled = 'none' | 'beside' | 'apart'

/**
 * Downloads for `forMs` of virtual time over a path whose link to the client is the bottleneck; bytes per ms that are read in the last half.
 */
function download(path: Path, forMs: number, streams: number, stalled: Stalled = 'none'): number {
  const events: Event[] = []
  let nowMs = 0
  const later = (atMs: number, run: () => void): void => {
    let at = events.length
    while (at > 0 && (events[at - 1]?.atMs ?? 0) > atMs) at--
    events.splice(at, 0, { atMs, run })
  }
  const randomBytes = seededBytes(1)
  const legTo = (
    line: { freeAtMs: number },
    arrive: (cell: Uint8Array) => void,
    onRoom: () => void,
  ): Leg => {
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
          const freeAtMs = Math.max(line.freeAtMs, nowMs) + cell.length / path.bytesPerMs
          line.freeAtMs = freeAtMs
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

  const [down, up] = [{ freeAtMs: 0 }, { freeAtMs: 0 }]
  let bytes = 0
  const chunk = zeros(64 * 1024)
  /** A tunnel of which some streams are read and some never are. */
  const openTunnel = (read: number, unread: number): void => {
    const tunnels = createExitTunnels({ provider: nodeCrypto })
    let exit: ExitTunnel | undefined
    const fill = (id: number): void => {
      let more = true
      while (more) more = exit?.write(id, chunk, nowMs) ?? false
    }
    const pumpExit = (): void => void exit?.pump(nowMs)
    const pumpClient = (): void => void client.pump(nowMs)
    const toClient = (cell: Uint8Array): void => {
      assert.equal(client.onCell(clientLeg, cell, nowMs), undefined)
      pumpClient()
    }
    const toExit = (cell: Uint8Array): void => {
      if (exit) assert.equal(exit.onCell(exitLeg, cell, nowMs), undefined)
      else tunnels.onFirstCell(exitLeg, cell, nowMs, () => exitDriver)
      pumpExit()
    }
    const exitLeg: Leg = legTo(down, toClient, pumpExit)
    const clientLeg: Leg = legTo(up, toExit, pumpClient)
    const exitDriver = {
      ...quietHandler([]),
      onOpened: (tunnel: ExitTunnel) => void (exit = tunnel),
      onBegin: (id: number) => {
        exit?.connected(id, 4)
        fill(id)
      },
      onDrained: fill,
    }
    const isRead = new Set<number>()
    const client = createClientTunnel({
      terms: TERMS,
      provider: nodeCrypto,
      tunnelId: zeros(16),
      leg: clientLeg,
      handler: {
        ...quietHandler([]),
        onData(id, view) {
          if (!isRead.has(id)) return
          if (nowMs > forMs / 2) bytes += view.length
          client.consumed(id, view.length, nowMs)
        },
      },
    })
    const target = { host: 'a.example', port: 1, flags: 1 }
    for (let i = 0; i < unread; i++) client.connect(target, 0)
    for (let i = 0; i < read; i++) isRead.add(client.connect(target, 0))
    pumpClient()
  }
  if (stalled === 'apart') openTunnel(0, 1)
  openTunnel(streams, stalled === 'beside' ? 1 : 0)
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

  for (const stalled of ['beside', 'apart'] as const) {
    for (const [name, path, streams] of [
      ['1 MB/s at 100 ms', { bytesPerMs: 1000, oneWayMs: 50 }, 1],
      ['10 MB/s at 20 ms, four streams', { bytesPerMs: 10_000, oneWayMs: 10 }, 4],
    ] as const) {
      it(`loses less than a fifth to a stream that is never read ${stalled}, at ${name}`, () => {
        const alone = download(path, 8000, streams)
        const rate = download(path, 8000, streams, stalled)
        assert.ok(rate >= 0.8 * alone, `${rate} of ${alone} bytes per ms`)
      })
    }
  }
})
