/**
 * A datagram flow of a tunnel as the proxy's `DatagramFlow`: endpoints between text and the wire's form (SPEC §7.3).
 * @module
 */
import { toIpAddress, toIpBytes } from '@byway/protocol/directory'
import { formatAddress, parseAddress } from '@byway/protocol/policy'
import { isHostEndpoint } from '@byway/protocol/wire'
import type { Endpoint } from '@byway/protocol/wire'
import type { Datagram, DatagramFlow, Target } from '../proxy/dialer.ts'
import type { ClientTunnelDriver } from './client-tunnel-driver.ts'

/** Local limit (tunable): what a cell of 4096 bytes carries on every path, with the longest endpoint. */
const MAX_PAYLOAD_BYTES = 3600

/** Opens a flow in a tunnel whose exit carries datagrams. */
export function openDatagramFlow(
  driver: ClientTunnelDriver,
  onDatagram: (datagram: Datagram) => void,
): DatagramFlow {
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>()
  closed.catch(() => {})
  let isClosed = false
  const flow = driver.associate({
    onDatagram: (endpoint, payload) => onDatagram({ peer: targetOf(endpoint), payload }),
    onClosed(error) {
      isClosed = true
      if (error) reject(error)
      else resolve()
    },
  })
  return {
    maxPayloadBytes: MAX_PAYLOAD_BYTES,
    closed,
    send({ peer, payload }) {
      if (isClosed || payload.length > MAX_PAYLOAD_BYTES) return false
      flow.send(endpointOf(peer), payload)
      return true
    },
    close() {
      isClosed = true
      flow.close()
      resolve()
    },
  }
}

function endpointOf({ host, port }: Target): Endpoint {
  const address = parseAddress(host)
  if (!address) return { host, port }
  return { ...toIpBytes(address), port }
}

function targetOf(endpoint: Endpoint): Target {
  if (isHostEndpoint(endpoint)) return { host: endpoint.host, port: endpoint.port }
  return { host: formatAddress(toIpAddress(endpoint)), port: endpoint.port }
}
