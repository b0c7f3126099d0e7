/** Builds circuits of a Tor client on demand (EXTENDCIRCUIT) and waits for each to be usable. */
import { listCircuits, type TorControl } from './tor-control.ts'

/** Makes and closes circuits through given hops. */
export interface CircuitBuilder {
  /** Builds one circuit through relays given by fingerprint; returns its id. @throws Error when it fails. */
  build(hops: readonly string[]): Promise<string>
  close(id: string): Promise<void>
}

const CIRCUIT_TIMEOUT_MS = 60_000

/** Creates a builder; it subscribes the control connection to circuit events. */
export async function createCircuitBuilder(control: TorControl): Promise<CircuitBuilder> {
  const outcomes = new Map<string, string>()
  const waiters = new Map<string, (outcome: string) => void>()
  control.onEvent((event) => {
    const [, id = '', outcome = ''] = /^CIRC (\d+) (BUILT|FAILED|CLOSED)/.exec(event) ?? []
    if (outcome === 'CLOSED') outcomes.delete(id)
    else if (outcome !== '') outcomes.set(id, outcome)
    waiters.get(id)?.(outcome)
  })
  await control.command('SETEVENTS CIRC')

  return {
    build: async (hops) => {
      const reply = await control.command(`EXTENDCIRCUIT 0 ${hops.map((hop) => `$${hop}`).join()}`)
      const id = /EXTENDED (\d+)/.exec(reply.join(' '))?.[1] ?? ''
      const timeout = setTimeout(() => waiters.get(id)?.('TIMEOUT'), CIRCUIT_TIMEOUT_MS)
      const outcome =
        outcomes.get(id) ?? (await new Promise<string>((resolve) => void waiters.set(id, resolve)))
      clearTimeout(timeout)
      waiters.delete(id)
      if (outcome !== 'BUILT') throw new Error(`a circuit of tor ended as ${outcome}`)
      return id
    },
    close: async (id) => void (await control.command(`CLOSECIRCUIT ${id}`)),
  }
}

/** @throws Error when a circuit that may carry traffic runs elsewhere than through `hops`. */
export async function assertPinned(control: TorControl, hops: readonly string[]): Promise<void> {
  const circuits = await listCircuits(control)
  const carriers = circuits.filter(
    (circuit) =>
      circuit.status === 'BUILT' && circuit.purpose === 'GENERAL' && circuit.hops.length > 1,
  )
  if (carriers.length === 0)
    throw new Error('tor shows no circuit that could have carried the traffic')
  if (carriers.some((circuit) => circuit.hops.join() !== hops.join())) {
    throw new Error('a circuit of tor left the pinned path')
  }
}
