/**
 * What a client's log says of its directory.
 * @module
 */
import type { Logger } from '@byway/protocol/base'
import type { DirectoryKeeperDeps } from './directory-keeper.ts'

/** The keeper's listeners that write a line each. */
export function directoryNotices(
  log: Pick<Logger, 'warn'>,
): Pick<DirectoryKeeperDeps, 'onHidden' | 'onOld'> {
  return {
    onHidden: ({ hidden, of }) =>
      log.warn('one guard shows fewer nodes than another', { count: hidden, nodes: of }),
    onOld: (durationMs) => log.warn('no guard has answered for hours', { durationMs }),
  }
}
