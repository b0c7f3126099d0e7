/**
 * Which streams may share a circuit: the isolation key's fields and the destination
 * port classes. Comparing keys and keeping circuits apart is the engine's work.
 * @module
 */
import type { IsolationKey, PortClass } from './dialer.ts'

/** Who asks: the parts of an isolation key that a connection has before it names a destination. */
export type AppIdentity = Omit<IsolationKey, 'portClass'>

/**
 * Names the class of a TCP port. A log-in to one's own mail or machine names its user to the exit's
 * destination, and so must not ride beside anonymous browsing.
 */
export function portClassOf(port: number): PortClass {
  return PORT_CLASSES.get(port) ?? 'other'
}

const PORTS_BY_CLASS: readonly (readonly [PortClass, readonly number[]])[] = [
  ['web', [80, 443, 8000, 8008, 8080, 8443, 8888]],
  ['mail', [25, 110, 143, 465, 587, 993, 995]],
  ['remote', [21, 22, 23, 989, 990, 3389, 5900]],
  ['dns', [53, 853]],
]

const PORT_CLASSES: ReadonlyMap<number, PortClass> = new Map(
  PORTS_BY_CLASS.flatMap(([portClass, ports]) =>
    ports.map((port): [number, PortClass] => [port, portClass]),
  ),
)
