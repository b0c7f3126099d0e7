/** The configuration files of a private Tor network on loopback. Texts only; `tor-net.ts` runs them. */

/** What differs between the Tor networks that are measured. */
export type TorFlavour = {
  readonly name: string
  /** Tor's `Schedulers`; relays of the public network run KIST. */
  readonly scheduler: 'Vanilla' | 'KIST'
  /** `vegas` is what the public network's consensus asks for (prop 324), `sendme` a network without parameters. */
  readonly congestionControl: 'vegas' | 'sendme'
}

/** The directory authority as every other node's configuration names it. */
export type AuthorityInfo = {
  readonly orPort: number
  readonly dirPort: number
  readonly identity: string
  readonly fingerprint: string
}

/** Settings of every node of the network, `NumCPUs 1` as for one relay per core. */
export function commonConfig(directory: string, flavour: TorFlavour): string {
  return `TestingTorNetwork 1
DataDirectory ${directory}
Log notice stderr
RunAsDaemon 0
__OwningControllerProcess ${process.pid}
ShutdownWaitLength 0
AssumeReachable 1
EnforceDistinctSubnets 0
PathsNeededToBuildCircuits 0.25
NumCPUs 1
Schedulers ${flavour.scheduler}
`
}

/**
 * The authority votes every 20 s until the first consensus and every 30 s after it, so that a relay that was late for
 * the first is in the next. A vote costs each node a few milliseconds of CPU.
 */
export function authorityConfig(
  flavour: TorFlavour,
  ports: { readonly orPort: number; readonly dirPort: number },
): string {
  const consensus = flavour.congestionControl === 'vegas' ? 'cc_alg=2' : 'cc_alg=0'
  return `Nickname authority
Address 127.0.0.1
ORPort 127.0.0.1:${ports.orPort}
DirPort 127.0.0.1:${ports.dirPort}
SocksPort 0
ExitRelay 0
ContactInfo nobody@example.invalid
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
V3AuthNIntervalsValid 2
TestingV3AuthInitialVotingInterval 20
TestingV3AuthInitialVoteDelay 4
TestingV3AuthInitialDistDelay 4
V3AuthVotingInterval 30
V3AuthVoteDelay 4
V3AuthDistDelay 4
TestingDirAuthVoteExit *
TestingDirAuthVoteHSDir *
TestingDirAuthVoteGuard *
TestingMinExitFlagThreshold 0
ConsensusParams ${consensus}
`
}

/** The line by which a node knows its authority. */
export function authorityLine(info: AuthorityInfo): string {
  return `DirAuthority authority orport=${info.orPort} no-v2 v3ident=${info.identity} 127.0.0.1:${info.dirPort} ${info.fingerprint}
`
}

/**
 * A relay that may be any hop. A policy of loopback alone would read "rejects everything" in a microdescriptor, so it
 * accepts all, and binding to 127.0.0.1 keeps what it opens on loopback.
 */
export function relayConfig(nickname: string): string {
  return `Nickname ${nickname}
Address 127.0.0.1
ORPort 127.0.0.1:auto
SocksPort 0
ExitRelay 1
ExitPolicy accept *:*
ExitPolicyRejectPrivate 0
OutboundBindAddress 127.0.0.1
__DisablePredictedCircuits 1
ContactInfo nobody@example.invalid
`
}

/**
 * A client with SOCKS on a port of the system's choice and control on a Unix socket (over TCP, Nagle's algorithm adds
 * 40 ms to what is timed here). `hops` are the fingerprints of entry, middle and
 * exit, which every circuit of it uses.
 */
export function clientConfig(hops: readonly string[], controlSocket: string): string {
  return `SocksPort 127.0.0.1:auto
ControlSocket ${controlSocket}
CookieAuthentication 1
ClientDNSRejectInternalAddresses 0
ClientRejectInternalAddresses 0
EntryNodes $${hops[0] ?? ''}
MiddleNodes $${hops[1] ?? ''}
ExitNodes $${hops[2] ?? ''}
StrictNodes 1
ConfluxEnabled 0
MaxClientCircuitsPending 1024
LearnCircuitBuildTimeout 0
CircuitBuildTimeout 60
`
}
