/** Meets the nodes that the network file names (SPEC §10.2): whoever knows nobody begins there. @module */
import { nodeKeyOf, toIpBytes } from '@byway/protocol/directory'
import type { NetworkParameters } from '@byway/protocol/directory'
import { parseAddress } from '@byway/protocol/policy'
import type { NodeLinks } from '../node-links.ts'

/** Dials every first contact but oneself. Never rejects; those that are away are left out. */
export async function meetFirstContacts(
  { bootstrap }: Pick<NetworkParameters, 'bootstrap'>,
  own: Uint8Array,
  links: Pick<NodeLinks, 'dial'>,
  signal: AbortSignal,
): Promise<void> {
  const contacts = bootstrap.filter(({ nodeId }) => nodeKeyOf(nodeId) !== nodeKeyOf(own))
  await Promise.allSettled(
    contacts.map(async ({ nodeId, address, port }) => {
      const ip = parseAddress(address)
      if (ip) await links.dial(nodeId, [{ ...toIpBytes(ip), port }], signal)
    }),
  )
}
