/** A listener and what dials it, closed together. */
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  createLinkListener,
  type DialOptions,
  dialLink,
  type LinkListener,
  type LinkListenerOptions,
  type LinkRuntime,
  type NetLink,
  systemRuntime,
} from '@byway/net'
import { testNode, type TestNode } from './identities.ts'

export type Listening = {
  readonly listener: LinkListener
  readonly node: TestNode
  readonly port: number
  readonly links: NetLink[]
  /** Resolves with the next link that the listener makes. */
  nextLink(): Promise<NetLink>
  dial(options?: Partial<DialOptions>): Promise<NetLink>
}

export async function listening(
  onLink: (link: NetLink) => void = () => {},
  options: Partial<LinkListenerOptions> = {},
  runtime: LinkRuntime = systemRuntime,
): Promise<Listening & AsyncDisposable> {
  const node = testNode(1)
  const links: NetLink[] = []
  const dialled: NetLink[] = []
  let next = Promise.withResolvers<NetLink>()
  const listener = createLinkListener(
    {
      crypto: nodeCrypto,
      runtime,
      identity: () => node.identity(),
      onLink: (link) => {
        links.push(link)
        onLink(link)
        next.resolve(link)
        next = Promise.withResolvers<NetLink>()
      },
    },
    { host: '127.0.0.1', port: 0, ...options },
  )
  const port = await listener.listen()
  return {
    listener,
    node,
    port,
    links,
    nextLink: () => next.promise,
    dial: async (overrides) => {
      const link = await dialLink(
        { crypto: nodeCrypto },
        { host: '127.0.0.1', port, nodeId: node.nodeId, ...overrides },
      )
      dialled.push(link)
      return link
    },
    [Symbol.asyncDispose]: async () => {
      for (const link of [...links, ...dialled]) link.close('local')
      await listener[Symbol.asyncDispose]()
    },
  }
}
