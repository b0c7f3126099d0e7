import { linkContract, type Pair } from './support/link-contract.ts'
import { listening } from './support/tls-pair.ts'

linkContract('tls', async () => {
  const stack = new AsyncDisposableStack()
  const side = stack.use(await listening())
  const accepted = side.nextLink()
  const dialler = await side.dial()
  return {
    dialler,
    listener: await accepted,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  } satisfies Pair
})
