/** Errors of the node. @module */
import { errorBuilder } from '@byway/protocol/base'
import type { ErrorBuilder, ErrorOf } from '@byway/protocol/base'

type NodeErrors = {
  /** The identity file does not hold 32 bytes in hexadecimal. */
  NODE_IDENTITY_DAMAGED: { file: string }
  /** The exit role was asked for without what it needs to be safe. */
  NODE_EXIT_UNSAFE: { missing: string }
  /** A denial of the operator's cannot be read; `field` says which. */
  NODE_EXIT_OPTION: { field: string }
  /** The exit takes no traffic class, or asks less for one than the node's price step. */
  NODE_EXIT_CLASS: { priceStep: number | undefined }
  /** A node without a public port found no relay to attach to. */
  NODE_NOT_ATTACHED: { relays: number }
  /** The port for gossip is taken or not allowed: it is the one after that of `--listen`. */
  NODE_GOSSIP_LISTEN: { port: number }
  /** No address of the node may be dialled from here, or it has none. */
  NODE_UNREACHABLE: Record<string, never>
  /** The network is paid, and the node was not told how it is. */
  NODE_PAYMENT_MISSING: Record<string, never>
  /** Asked of a node that has not been started. */
  NODE_NOT_STARTED: Record<string, never>
}

export type NodeError = ErrorOf<NodeErrors>

export const nodeError: ErrorBuilder<NodeErrors> = errorBuilder<NodeErrors>({
  NODE_IDENTITY_DAMAGED: [
    'local',
    'the identity file is damaged: restore it, or delete it to become a new node',
  ],
  NODE_EXIT_UNSAFE: ['config', 'the exit role cannot start safely'],
  NODE_EXIT_OPTION: ['config', 'a prefix or name that the exit is to refuse cannot be read'],
  NODE_EXIT_CLASS: [
    'config',
    "an exit takes one traffic class at least, and none for less than the node's price step",
  ],
  NODE_NOT_ATTACHED: ['network', 'no relay could be attached to'],
  NODE_GOSSIP_LISTEN: ['local', 'the port for gossip cannot be listened on'],
  NODE_UNREACHABLE: ['network', 'the node has no address that may be dialled from here'],
  NODE_PAYMENT_MISSING: [
    'config',
    'the nodes of this network are paid: make a purse with `byway wallet create` first',
  ],
  NODE_NOT_STARTED: ['bug', 'the node has not been started'],
})
