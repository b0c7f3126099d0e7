/**
 * An internet of namespaces with homes behind routers that translate addresses.
 *
 *              net (one bridge; each host has a /16 of its own)
 *    ┌────────────┬──────────────┬─────────────────────┐
 *  host 5.1.0.1  host 5.2.0.1  router 5.50.0.1     carrier 5.60.0.1      (its own translation)
 *                                │ 192.168.1.1         │ 100.64.0.1
 *                              home 192.168.1.2      router 100.64.0.2
 *                                                      │ 192.168.1.1
 *                                                    home 192.168.1.2
 *
 * `cone` keeps a connection's port where it can, `symmetric` draws it anew, `double` translates twice (CGNAT), `upnp`, `upnp-1`, `pcp`
 * and `nat-pmp` are cones whose router opens ports on request. A router drops what nobody inside asked for. No namespace has a way out of this machine.
 */
import { spawnSync } from 'node:child_process'
import { createNamespaces, ip, missingForNamespaces, type Namespace } from './namespaces.ts'
import { startGateway, translate, type GatewayKind } from './router.ts'

export type NatKind = 'cone' | 'symmetric' | 'double' | GatewayKind

/** A namespace with one way out. */
export type LabHost = {
  readonly namespace: Namespace
  /** What it has itself. */
  readonly address: string
  /** What others see of it. */
  readonly publicAddress: string
}

export interface NatLab extends AsyncDisposable {
  /** A host on the internet itself, in a /16 of its own. At most 254 hosts and homes per lab. */
  addHost(label: string): LabHost
  /** A host behind a router of this kind; `label` has at most 10 characters. */
  addHome(label: string, kind: NatKind): Promise<LabHost>
}

/** Says what is missing here, or nothing. Routers that open ports need {@link missingForGateways} too. */
export function missingForNat(): string | undefined {
  const missing = missingForNamespaces()
  if (missing !== undefined) return missing
  return spawnSync('nft', ['--version']).error ? 'nft (nftables) is not installed' : undefined
}

/** Says what is missing for routers that open ports on request, or nothing. */
export function missingForGateways(): string | undefined {
  return spawnSync('miniupnpd', ['--version']).error ? 'miniupnpd is not installed' : undefined
}

/** What the n-th host or home of a lab has on the internet, from 1. */
export function labAddress(number: number): string {
  return `5.${number}.0.1`
}

/** Creates an internet with nobody in it. */
export function createNatLab(): NatLab {
  const namespaces = createNamespaces()
  const net = namespaces.add('net')
  ip(net, 'link', 'add', 'bridge', 'type', 'bridge')
  ip(net, 'link', 'set', 'bridge', 'up')
  const ends = new AsyncDisposableStack()
  let count = 0

  /** Joins a namespace to the internet under the name `wan`. */
  const connect = (namespace: Namespace): string => {
    const number = ++count
    const address = labAddress(number)
    wire(net, `p${number}`, namespace, 'wan')
    ip(net, 'link', 'set', `p${number}`, 'master', 'bridge')
    ip(namespace, 'address', 'add', `${address}/16`, 'dev', 'wan')
    ip(namespace, 'route', 'add', 'default', 'dev', 'wan')
    return address
  }

  return {
    addHost(label) {
      const namespace = namespaces.add(label)
      const address = connect(namespace)
      return { namespace, address, publicAddress: address }
    },
    async addHome(label, kind) {
      const home = namespaces.add(label)
      const router = namespaces.add(`${label}-r`)
      let publicAddress: string
      if (kind === 'double') {
        const carrier = namespaces.add(`${label}-c`)
        publicAddress = connect(carrier)
        translate(carrier, false)
        placeBehind(carrier, router, '100.64.0')
      } else publicAddress = connect(router)
      translate(router, kind === 'symmetric')
      placeBehind(router, home, '192.168.1')
      if (kind !== 'cone' && kind !== 'symmetric' && kind !== 'double') {
        ends.use(await startGateway(router, kind))
      }
      return { namespace: home, address: '192.168.1.2', publicAddress }
    },
    async [Symbol.asyncDispose]() {
      await ends.disposeAsync()
      namespaces.close()
    },
  }
}

/** Puts one host behind a router whose `wan` is up. */
function placeBehind(router: Namespace, inside: Namespace, network: string): void {
  wire(router, 'lan', inside, 'wan')
  ip(router, 'address', 'add', `${network}.1/24`, 'dev', 'lan')
  ip(inside, 'address', 'add', `${network}.2/24`, 'dev', 'wan')
  ip(inside, 'route', 'add', 'default', 'via', `${network}.1`)
}

function wire(left: Namespace, leftName: string, right: Namespace, rightName: string): void {
  const peer = ['peer', 'name', rightName, 'netns', right.name]
  ip(left, 'link', 'add', leftName, 'type', 'veth', ...peer)
  ip(left, 'link', 'set', leftName, 'up')
  ip(right, 'link', 'set', rightName, 'up')
}
