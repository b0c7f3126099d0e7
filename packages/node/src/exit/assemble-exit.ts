/**
 * Puts the exit role together: resolver, limits, connector, service. Nothing is decided here.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { Logger } from '@byway/protocol/base'
import type { Accountant } from '@byway/protocol/circuit'
import { createLegLink, systemRuntime } from '@byway/net'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { PolicyContext } from '@byway/protocol/policy'
import { classPricesOf, takesTunnel } from './class-prices.ts'
import { createExitConnector } from './connect-pinned.ts'
import { createDnsCache } from './dns-cache.ts'
import { createDnsStub } from './dns-stub.ts'
import type { DnsResolver } from './dns-stub.ts'
import { chosenServers } from './dns-servers.ts'
import { createExitLimits } from './exit-limits.ts'
import { createExitService } from './exit-service.ts'
import type { ExitMoney, ExitService, MemoryOwner } from './exit-service.ts'
import type { ExitRoleOptions } from './exit-options.ts'
import { createOpenPins } from './open-pins.ts'
import type { OwnNetwork } from './own-network.ts'

export type AssembleExitDeps = {
  /** The watch of the own network, started; it is the caller's to end. */
  readonly ownNetwork: OwnNetwork
  readonly accountant: Accountant<MemoryOwner>
  /** False while this exit must carry nothing: its tunnels are refused with NOT_EXIT. @default always true */
  readonly isOpen?: (() => boolean) | undefined
  readonly nowMs: () => number
  readonly log: Logger
  /** Absent in an unpaid network. */
  readonly money?: ExitMoney | undefined
  /** The node's price step; absent in an unpaid network. */
  readonly priceStep?: number | undefined
}

/** A running exit role. */
export type ExitRole = {
  readonly service: ExitService
  /** Cuts what leads into the own network, after that has moved. */
  judgeAgain(context: PolicyContext): void
}

/** Local limit (tunable): DNS and QUIC; other UDP is scanning, games and amplification. */
const DATAGRAM_PORTS: readonly number[] = [53, 443]

/** Creates the role. @throws NODE_EXIT_CLASS */
export async function assembleExit(
  deps: AssembleExitDeps,
  options: ExitRoleOptions,
): Promise<ExitRole> {
  const { ownNetwork, nowMs, log, priceStep } = deps
  const prices = classPricesOf(options, priceStep)
  const profile = options.profile === 'reduced' ? 'tor-reduced' : 'web'
  const servers = await chosenServers(options.dnsServers)
  const limits = createExitLimits()
  const pins = createOpenPins()
  const resolver = createDnsStub({ randomBytes, servers: () => servers })
  const cache = createDnsCache({ resolver, nowMs, randomBytes, accountant: deps.accountant })
  const resolverFor = (circuit: string): DnsResolver => cache.view(circuit)
  const context = (): PolicyContext => ownNetwork.context()
  const way = { resolverFor, context, limits, pins, nowMs }
  let service: ExitService | undefined
  const connector = createExitConnector(
    { ...way, onAbuse: (circuit) => service?.onAbuse(circuit) },
    { profile },
  )
  const datagrams = options.datagrams === true ? { ...way, ports: DATAGRAM_PORTS } : undefined
  service = createExitService(
    {
      provider: nodeCrypto,
      randomBytes,
      runtime: systemRuntime,
      connector,
      limits,
      log,
      accountant: deps.accountant,
      isOpen: deps.isOpen,
      money: deps.money,
      takes: (terms) => takesTunnel(prices, priceStep ?? 0, terms),
      createLegLink,
      forgetCircuit: (circuit) => cache.forget(circuit),
    },
    { datagrams },
  )
  return {
    service,
    judgeAgain(moved) {
      const count = pins.cutInto(moved)
      if (count > 0) log.warn('cut connections into the own network, which has moved', { count })
    },
  }
}
