import { createMemoryLinkPair } from '@byway/net'
import { linkContract, type Pair } from './support/link-contract.ts'

linkContract('memory', () => {
  const pair = createMemoryLinkPair({ listenerNodeId: new Uint8Array(32).fill(1) })
  return Promise.resolve({
    ...pair,
    [Symbol.asyncDispose]: () => {
      pair.dialler.close('local')
      pair.listener.close('local')
      return Promise.resolve()
    },
  } satisfies Pair)
})
