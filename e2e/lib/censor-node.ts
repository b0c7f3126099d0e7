/** A node that says it redeems, takes every order, and sends none. */
import { readFile } from 'node:fs/promises'
import { createRegistryClient, openChain } from '../../packages/chain/src/index.ts'
import { parseNetworkFile } from '../../packages/cli/src/config/network-file.ts'
import { openOwnStore } from '../../packages/cli/src/engine/own-store.ts'
import { createNode } from '../../packages/node/src/index.ts'
import { nodeTicketCrypto } from '../../packages/protocol/src/crypto/node-ticket.ts'
import { createPool } from '../../packages/protocol/src/ticket/index.ts'
import { createSlotVerifier, createZkEngine } from '../../packages/zk/src/index.ts'
import { readPurseFile } from '../../packages/purse/src/index.ts'
import { REDEEM_ANSWER } from '../../packages/protocol/src/wire/index.ts'

export interface CensorNode extends AsyncDisposable {
  /** Orders that it said it takes. */
  readonly taken: number
}

export type CensorOptions = {
  readonly networkFile: string
  /** State folder of a node that has a stake, and has stopped. */
  readonly home: string
  readonly host: string
  readonly signal: AbortSignal
}

/** Starts it in a paid network on this machine. */
export async function startCensorNode({
  networkFile,
  home,
  host,
  signal,
}: CensorOptions): Promise<CensorNode> {
  await using parts = new AsyncDisposableStack()
  const network = parseNetworkFile(await readFile(networkFile, 'utf8'))
  const { payment } = network
  if (!payment) throw new Error('nothing is paid in this network')
  const { provider } = await readPurseFile(home)
  const store = parts.use(await openOwnStore(home, 'node'))
  const { view, reader } = openChain({ payment, isLocal: true, onAlert: () => {} })
  const stakes = parts.use(
    createRegistryClient({ reader, payment, isLocal: true, nowMs: () => Date.now() }),
  )
  await stakes.start(signal)
  const pool = createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue })
  let taken = 0
  const take = async (): Promise<(typeof REDEEM_ANSWER)['TAKEN']> => {
    taken++
    return REDEEM_ANSWER.TAKEN
  }
  const node = parts.use(
    createNode({
      network,
      home,
      listen: { host, port: 0 },
      stakes,
      payment: {
        chain: view,
        store,
        verifier: createSlotVerifier(parts.use(createZkEngine()), pool),
        provider,
        priceStep: 0,
        redeemer: { take },
      },
    }),
  )
  await node.start(signal)
  const owned = parts.move()
  return {
    get taken() {
      return taken
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
