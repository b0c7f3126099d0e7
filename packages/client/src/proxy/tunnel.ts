/**
 * Serves one request for a TCP stream, whichever protocol it came in: dials, sends the app's early bytes,
 * answers once the exit has connected (so that the app gets the true reason of a failure), then joins both.
 * @module
 */
import type { AppConnection, AppRequest, ProxyContext } from './context.ts'
import { closeWith, dialOptionsFor } from './context.ts'
import type { ByteStream, Target } from './dialer.ts'
import { proxyError } from './errors.ts'
import { portClassOf } from './isolation.ts'
import type { RefusalCode } from './reply-codes.ts'
import { refusalOf } from './reply-codes.ts'
import { createSplice } from './splice.ts'

/** How a protocol says yes and no. */
export type TunnelReplies = {
  readonly success: Uint8Array
  readonly refusal: (code: RefusalCode) => Uint8Array
}

/** Opens a stream to `target` and joins it to the app. Settles when joined or refused; never rejects. */
export async function serveTunnel(
  context: ProxyContext,
  connection: AppConnection,
  request: AppRequest & { readonly target: Target },
  replies: TunnelReplies,
): Promise<void> {
  const { socket, signal } = connection
  const fail = (thrown: unknown): void => {
    if (signal.aborted || socket.destroyed) return
    context.counters.failedRequests += 1
    const code = refusalOf(thrown)
    context.log.debug('stream not opened', { code })
    closeWith(context, socket, replies.refusal(code))
  }
  let stream: ByteStream
  try {
    const options = dialOptionsFor(connection, request, portClassOf(request.target.port))
    stream = await context.dialer.connect(request.target, options)
  } catch (thrown) {
    fail(thrown)
    return
  }
  if (signal.aborted) {
    abandon(stream)
    return
  }
  const { idleTimeoutMs, halfOpenIdleTimeoutMs } = context.options.limits
  const onEnd = (outcome: 'finished' | 'broken'): void => {
    if (outcome === 'broken') context.counters.streamsBroken += 1
  }
  const splice = createSplice(socket, stream, { idleTimeoutMs, halfOpenIdleTimeoutMs, onEnd })
  try {
    await splice.connected
  } catch (thrown) {
    fail(thrown)
    return
  }
  context.counters.streamsOpened += 1
  socket.write(replies.success)
  splice.openDownward()
}

/** Lets go of a stream that nobody waits for any more. */
export function abandon(stream: ByteStream): void {
  stream.on('error', ignore)
  stream.connected.catch(ignore)
  stream.destroy(proxyError('PROXY_APP_GONE', {}))
}

function ignore(): void {}
