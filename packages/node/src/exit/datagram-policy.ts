/**
 * Where datagrams may go (SPEC §7.3, §11): the exit policy of connections for the address, a short list of its own for the port.
 */
import {
  type IpAddress,
  isAllowTarget,
  judgeRequest,
  judgeTargets,
  type PolicyContext,
  type PolicyRequest,
  type RequestVerdict,
} from '@byway/protocol/policy'
import type { DnsResolver } from './dns-stub.ts'
import type { ExitLimits } from './exit-limits.ts'

/** What datagrams need of the exit. */
export type DatagramPolicyDeps = {
  readonly resolverFor: (circuit: string) => DnsResolver
  readonly context: () => PolicyContext
  readonly limits: ExitLimits
  readonly nowMs: () => number
  /** UDP ports that the operator opens. @default 443 alone */
  readonly ports?: readonly number[] | undefined
}

/** An endpoint as the client wrote it. */
export type DatagramRequest = {
  readonly circuit: string
  readonly host: string
  readonly port: number
}

/** Judges an endpoint, after one lookup if it is a name; the address to write to, or undefined. Never rejects. */
export async function findDatagramTargets(
  deps: DatagramPolicyDeps,
  { circuit, host, port }: DatagramRequest,
  signal: AbortSignal,
): Promise<IpAddress | undefined> {
  const ports = deps.ports ?? DEFAULT_PORTS
  if (deps.limits.tryBegin(circuit, deps.nowMs()) !== 'ok') return undefined
  const early = judgeOpen(ports, { host, port, context: deps.context() }, judgeRequest)
  if (early.verdict === 'deny') return undefined
  const verdict =
    early.verdict === 'allow'
      ? early
      : await lookUp(deps, { circuit, host, port }, early.name, signal)
  if (verdict?.verdict !== 'allow') return undefined
  return verdict.pins.find(
    (pin) => ports.includes(port) || isAllowTarget(pin, port, deps.context()),
  )
}

async function lookUp(
  deps: DatagramPolicyDeps,
  { circuit, host, port }: DatagramRequest,
  name: string,
  signal: AbortSignal,
): Promise<RequestVerdict | undefined> {
  const families = deps.context().ipv6 ? ([4, 6] as const) : ([4] as const)
  try {
    const { addresses } = await deps.resolverFor(circuit).lookup(name, families, signal)
    const asked = { host, port, context: deps.context() }
    return judgeOpen(deps.ports ?? DEFAULT_PORTS, asked, (request) =>
      judgeTargets(request, addresses),
    )
  } catch {
    // A name without a usable answer, or a flow that is over: either way nothing is sent.
    return undefined
  }
}

/** Judges under the port asked for; a port that only the profile refuses and the operator opens is judged as the web's. */
function judgeOpen(
  ports: readonly number[],
  request: PolicyRequest,
  judge: (request: PolicyRequest) => RequestVerdict,
): RequestVerdict {
  const verdict = judge(request)
  const isOpened = verdict.verdict === 'deny' && verdict.reason === 'port'
  return isOpened && ports.includes(request.port) ? judge({ ...request, port: WEB_PORT }) : verdict
}

// Local limits (tunable): what the operator lets out is the operator's choice.
const DEFAULT_PORTS: readonly number[] = [443]
/** The rules for addresses are the same for every port; this one is open in every profile. */
const WEB_PORT = 443
