/** curl, as a user would run it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Far more than a page over the loopback takes. */
const LIMIT_S = '30'

/** Fetches a URL through a proxy; rejects when curl fails. `proxy` is a URL such as `socks5h://127.0.0.1:1080`. */
export async function curl(proxy: string, url: string, ...args: string[]): Promise<Buffer> {
  const options = ['-sS', '--fail', '--noproxy', '', '-m', LIMIT_S, '-x', proxy, ...args, url]
  const limits = { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 } as const
  const { stdout } = await promisify(execFile)('curl', options, limits)
  return stdout
}
