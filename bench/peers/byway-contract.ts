/**
 * What `byway testnet --json` prints, as far as the bench uses it (DESIGN §12). The one place to change when the
 * command's output changes.
 */

/** One node of the network. */
export type TestnetNode = {
  readonly id: string
  readonly pid: number
  readonly roles: readonly string[]
}

/** The network is up. */
export type ReadyEvent = {
  readonly event: 'ready'
  readonly proxy: string
  readonly nodes: readonly TestnetNode[]
  readonly client: { readonly pid: number }
}

/** A circuit that carries streams: the ids of its hops, entry first. */
export type PathEvent = { readonly event: 'path'; readonly hops: readonly string[] }

/** The arguments of a network whose exits may reach the origin and nothing else that is private. */
export function testnetArguments(hops: number, originPort: number): string[] {
  return [
    'testnet',
    '--json',
    '--nodes',
    '6',
    '--hops',
    String(hops),
    '--allow-target',
    `127.0.0.1:${originPort}`,
  ]
}

/** Parses one line of stdout; lines that the bench does not use give nothing. */
export function parseTestnetLine(line: string): ReadyEvent | PathEvent | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('event' in value)) return undefined
  if (value.event === 'ready' && 'proxy' in value && 'nodes' in value) return value as ReadyEvent
  if (value.event === 'path' && 'hops' in value && Array.isArray(value.hops))
    return value as PathEvent
  return undefined
}

/** The port of `socks5h://127.0.0.1:1080`. @throws Error when there is none. */
export function proxyPort(proxy: string): number {
  const port = Number(/:(\d+)\/?$/.exec(proxy)?.[1])
  if (!(port > 0)) throw new Error('the testnet named no proxy port')
  return port
}
