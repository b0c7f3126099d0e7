/** Errors of the node. @module */
import { errorBuilder } from '@byway/protocol/base'
import type { ErrorBuilder, ErrorOf } from '@byway/protocol/base'

type NodeErrors = {
  /** The identity file does not hold 32 bytes in hexadecimal. */
  NODE_IDENTITY_DAMAGED: { file: string }
  /** The exit role was asked for without what it needs to be safe. */
  NODE_EXIT_UNSAFE: { missing: string }
  /** A node without a public port found no relay to attach to. */
  NODE_NOT_ATTACHED: { relays: number }
}

export type NodeError = ErrorOf<NodeErrors>

export const nodeError: ErrorBuilder<NodeErrors> = errorBuilder<NodeErrors>({
  NODE_IDENTITY_DAMAGED: [
    'local',
    'the identity file is damaged: restore it, or delete it to become a new node',
  ],
  NODE_EXIT_UNSAFE: ['config', 'the exit role cannot start safely'],
  NODE_NOT_ATTACHED: ['network', 'no relay could be attached to'],
})
