/** A node that says it redeems, takes every order, and sends none. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openChain } from '../../packages/chain/src/index.ts'
import { loadNetworkFile } from '../../packages/cli/src/config/network-file.ts'
import { openOwnStore } from '../../packages/cli/src/engine/own-store.ts'
import { createNode } from '../../packages/node/src/index.ts'
import { nodeTicketCrypto } from '../../packages/protocol/src/crypto/node-ticket.ts'
import { createPool } from '../../packages/protocol/src/ticket/index.ts'
import { createSlotVerifier, createZkEngine } from '../../packages/zk/src/index.ts'
import { REDEEM_ANSWER } from '../../packages/protocol/src/wire/index.ts'

export interface CensorNode extends AsyncDisposable {
  /** Orders that it said it takes. */
  readonly taken: number
}

/** Starts it in a paid network on this machine. */
export async function startCensorNode(
  networkFile: string,
  host: string,
  signal: AbortSignal,
): Promise<CensorNode> {
  await using parts = new AsyncDisposableStack()
  const network = await loadNetworkFile(networkFile)
  const { payment } = network
  if (!payment) throw new Error('nothing is paid in this network')
  const home = await mkdtemp(join(tmpdir(), 'byway-censor-'))
  parts.defer(() => rm(home, { recursive: true, force: true }))
  const store = parts.use(await openOwnStore(home, 'node'))
  const { view } = openChain({ payment, isLocal: true, onAlert: () => {} })
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
      payment: {
        chain: view,
        store,
        verifier: createSlotVerifier(parts.use(createZkEngine()), pool),
        provider: new Uint8Array(20).fill(1),
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
