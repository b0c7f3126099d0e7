/** Downloads through a SOCKS proxy and records what a user would notice: the hash, the longest time without a byte, how it ended. */
import { createHash } from 'node:crypto'
import { connectSocks } from '../../packages/testnet/test/support/socks-client.ts'

export type Download = {
  readonly bytes: number
  readonly sha256: string
  /** The longest time between two reads, from the first byte on. */
  readonly longestStallMs: number
  /** `end` is the far side's end of file, `error` a reset. */
  readonly ending: 'end' | 'error'
}

export type DownloadOptions = {
  readonly proxyPort: number
  readonly originPort: number
  readonly username: string
  readonly path: string
  /** Told the bytes of the body read so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/** Fetches a body over HTTP; resolves however the connection ends. */
export async function download(options: DownloadOptions): Promise<Download> {
  const { proxyPort, originPort: port, username, path } = options
  const { code, socket } = await connectSocks({ proxyPort, host: '127.0.0.1', port, username })
  if (code !== 0) throw new Error(`the proxy answered ${code}`)
  socket.write(`GET ${path} HTTP/1.1\r\nhost: origin\r\nconnection: close\r\n\r\n`)
  const hash = createHash('sha256')
  let bytes = 0
  let longestStallMs = 0
  let lastMs: number | undefined
  let head: Buffer | undefined = Buffer.alloc(0)
  const onBody = (part: Buffer): void => {
    const nowMs = performance.now()
    if (lastMs !== undefined) longestStallMs = Math.max(longestStallMs, nowMs - lastMs)
    lastMs = nowMs
    bytes += part.length
    hash.update(part)
    options.onProgress?.(bytes)
  }
  socket.on('data', (part: Buffer) => {
    if (!head) return onBody(part)
    head = Buffer.concat([head, part])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    const body = head.subarray(end + 4)
    head = undefined
    if (body.length > 0) onBody(body)
  })
  const ending = await new Promise<Download['ending']>((resolve) => {
    socket.once('end', () => resolve('end'))
    socket.once('error', () => resolve('error'))
  })
  socket.destroy()
  return { bytes, sha256: hash.digest('hex'), longestStallMs, ending }
}
