/** What somebody who is not our dialler sends: raw TLS, raw HTTP, half a greeting. */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { pathToken } from '@byway/protocol/crypto'
import { LINK_PROOF_BYTES } from '@byway/protocol/wire'
import { UPGRADE_RESPONSE } from '../../src/upgrade.ts'

/** What a listener sends to a right token. */
export const LISTENER_GREETING_BYTES: number = UPGRADE_RESPONSE.length + LINK_PROOF_BYTES

/** A TLS connection as a scanner or a dishonest dialler makes it. */
export async function openTls(port: number): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    servername: '',
    ALPNProtocols: ['http/1.1'],
  })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

export function exporterOf(socket: TLSSocket): Uint8Array {
  return Uint8Array.from(socket.exportKeyingMaterial(32, 'EXPORTER-byway-link-v1', Buffer.alloc(0)))
}

export function upgrade(token: string, method = 'GET'): string {
  return `${method} /${token} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
}

export function rightToken(socket: TLSSocket, nodeId: Uint8Array): string {
  return pathToken(nodeCrypto, nodeId, exporterOf(socket))
}

/** Reads until so many bytes are there or the other side ends; what is there then. */
export async function readBytes(socket: TLSSocket, wanted: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let have = 0
  const done = Promise.withResolvers<void>()
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk)
    have += chunk.length
    if (have >= wanted) done.resolve()
  }
  const onEnd = (): void => done.resolve()
  socket.on('data', onData).on('end', onEnd).on('close', onEnd)
  await done.promise
  socket.off('data', onData).off('end', onEnd).off('close', onEnd)
  return Buffer.concat(chunks)
}

/** Resolves when the other side has closed. */
export async function closed(socket: TLSSocket): Promise<void> {
  socket.resume()
  if (!socket.closed) await once(socket, 'close')
}
