/**
 * Endpoints of datagrams (SPEC §7.3).
 *
 * ```text
 * type 4: 04 ‖ address[4]  ‖ u16 port
 * type 6: 06 ‖ address[16] ‖ u16 port
 * type 1: 01 ‖ u8 n ‖ host[n] ‖ u16 port, towards the exit only (the circuit checks the direction)
 * ```
 * @module
 */
import { addressBytesOf, type SocketAddressBytes } from './address.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'
import { decodeHost, encodeHost } from './host.ts'

export type HostEndpoint = { readonly host: string; readonly port: number }

/** Where a datagram goes to or came from; `host` and `family` tell the two forms apart. */
export type Endpoint = SocketAddressBytes | HostEndpoint

/** True for an endpoint that is still a name. */
export function isHostEndpoint(endpoint: Endpoint): endpoint is HostEndpoint {
  return 'host' in endpoint
}

/** Reads an endpoint; what it returns is a copy. @throws WIRE_VALUE, WIRE_LENGTH */
export function readEndpoint(reader: ByteReader): Endpoint {
  const type = reader.u8('endpoint')
  if (type === HOST_TYPE) {
    const host = decodeHost(reader.view(reader.u8('hostBytes'), 'host'))
    return { host, port: reader.u16('port') }
  }
  if (type !== 4 && type !== 6) throw wireError('WIRE_VALUE', { field: 'endpoint', value: type })
  const bytes = reader.copy(addressBytesOf(type), 'address')
  return { family: type, bytes, port: reader.u16('port') }
}

/** Returns the bytes that {@link writeEndpoint} writes. */
export function endpointBytes(endpoint: Endpoint): number {
  return isHostEndpoint(endpoint)
    ? 1 + 1 + endpoint.host.length + 2
    : 1 + addressBytesOf(endpoint.family) + 2
}

/** Writes an endpoint. @throws WIRE_ENCODE */
export function writeEndpoint(writer: ByteWriter, endpoint: Endpoint): ByteWriter {
  if (isHostEndpoint(endpoint)) {
    const host = encodeHost(endpoint.host)
    return writer
      .u8(HOST_TYPE, 'endpoint')
      .u8(host.length, 'hostBytes')
      .raw(host, 'host')
      .u16(endpoint.port, 'port')
  }
  return writer
    .u8(endpoint.family, 'endpoint')
    .fixed(endpoint.bytes, addressBytesOf(endpoint.family), 'address')
    .u16(endpoint.port, 'port')
}

const HOST_TYPE = 1
