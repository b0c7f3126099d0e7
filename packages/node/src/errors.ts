/** Errors of the node. @module */
import { errorBuilder } from '@byway/protocol/base'
import type { ErrorBuilder, ErrorOf } from '@byway/protocol/base'

type NodeErrors = {
  /** The identity file may be read by others than its owner. */
  NODE_IDENTITY_PERMISSIONS: { file: string }
  /** The identity file is not 32 bytes long. */
  NODE_IDENTITY_DAMAGED: { file: string }
  /** The exit role was asked for without what it needs to be safe. */
  NODE_EXIT_UNSAFE: { missing: string }
}

export type NodeError = ErrorOf<NodeErrors>

export const nodeError: ErrorBuilder<NodeErrors> = errorBuilder<NodeErrors>({
  NODE_IDENTITY_PERMISSIONS: ['config', 'the identity file may be read by others: chmod 600 it'],
  NODE_IDENTITY_DAMAGED: [
    'local',
    'the identity file is damaged: restore it, or delete it to become a new node',
  ],
  NODE_EXIT_UNSAFE: ['config', 'the exit role cannot start safely'],
})
