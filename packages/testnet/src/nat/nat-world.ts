/**
 * Where the processes of a network behind routers run: each node and the client in a namespace of its own on one small internet (nat-lab.ts), the chain and the targets on this
 * machine's loopback, which those inside reach under the same names, as scripts outside reach the client's proxy.
 */
import { testnetError, type TestnetError } from '../errors.ts'
import type { NodePlan } from '../plan.ts'
import { openPortInto, shareLoopback, type LoopbackPlace } from './loopback.ts'
import { createNatLab, missingForGateways, missingForNat, type NatKind } from './nat-lab.ts'
import type { Namespace } from './namespaces.ts'

export interface NatWorld extends AsyncDisposable {
  /** The command line that runs a program in the place of this node, or of the `client`. */
  wrap(name: string, command: string, args: readonly string[]): readonly [string, ...string[]]
  /** Where the client's proxy is to listen inside, and is reached from this machine once it does. */
  readonly proxyPort: number
  openProxy(): Promise<void>
  /** Resolves when the proxy can no longer be reached from this machine, with what to throw. */
  readonly proxyLost: Promise<TestnetError>
}

export type NatWorldOptions = {
  /** In the order of their addresses. */
  readonly nodes: readonly NodePlan[]
  /** What all reach of this machine: the chain. */
  readonly shared: readonly LoopbackPlace[]
  /** What exits reach besides. */
  readonly targets: readonly LoopbackPlace[]
  readonly signal: AbortSignal
}

export const CLIENT = 'client'

/**
 * The kinds of routers that can be had here.
 * @throws TESTNET_NAT_UNAVAILABLE where there can be none
 */
export function routerKinds(): readonly NatKind[] {
  const missing = missingForNat()
  if (missing !== undefined) throw testnetError('TESTNET_NAT_UNAVAILABLE', { hint: missing })
  const always = ['symmetric', 'cone', 'double'] as const
  return missingForGateways() === undefined ? [...always, 'upnp', 'nat-pmp'] : always
}

/** Makes the internet and its namespaces, in which nothing runs yet. @throws the signal's reason, and what `ip` and `nft` say */
export async function createNatWorld(options: NatWorldOptions): Promise<NatWorld> {
  await using parts = new AsyncDisposableStack()
  const lab = parts.use(createNatLab())
  const places = new Map<string, Namespace>()
  for (const { name, nat } of options.nodes) {
    options.signal.throwIfAborted()
    const { namespace } = nat ? await lab.addHome(name, nat) : lab.addHost(name)
    places.set(name, namespace)
  }
  const { namespace: client } = lab.addHost(CLIENT)
  places.set(CLIENT, client)
  const share = async (name: string, isExit: boolean): Promise<void> => {
    const all = [...options.shared, ...(isExit ? options.targets : [])]
    parts.use(await shareLoopback(placeOf(places, name), all, options.signal))
  }
  await Promise.all([
    ...options.nodes.map(({ name, isExit }) => share(name, isExit)),
    share(CLIENT, false),
  ])
  const proxy = parts.use(await openPortInto(client))
  const lost = testnetError('TESTNET_PROCESS_ENDED', {
    who: 'proxy',
    status: 'no way into the client any more',
    hint: '',
  })
  const owned = parts.move()
  return {
    proxyPort: proxy.port,
    openProxy: () => proxy.begin(),
    proxyLost: proxy.ended.then(() => lost),
    wrap(name, command, args) {
      const wrapped = placeOf(places, name).wrap(command, args)
      return [wrapped.command, ...wrapped.args]
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function placeOf(places: ReadonlyMap<string, Namespace>, name: string): Namespace {
  const found = places.get(name)
  if (!found) throw new RangeError(`no place has the name ${name}`)
  return found
}
