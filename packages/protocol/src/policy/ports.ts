/**
 * Which ports an exit opens (SPEC §11): two profiles to choose from, and ports that no setting opens.
 * TCP only; UDP is off at exits unless configured elsewhere.
 */
import type { PortReason } from './reason.ts'

/** Profiles an operator may choose; `tor-reduced` must be asked for, with a warning that names its brute-force ports. */
export type PortProfile = 'web' | 'tor-reduced'

/** An inclusive range of ports. */
export type PortRange = readonly [first: number, last: number]

// Protocol constants (a change needs a change of the published policy).

/** The default: plain web traffic. */
export const WEB_PORTS: readonly PortRange[] = ranges('80,443')

/** Exactly `REDUCED_EXIT_POLICY` of tor's `src/core/or/policies.c`. Holds brute-force ports (22, 23, 465, 587, 3389, 5900). */
export const REDUCED_PORTS: readonly PortRange[] = ranges(
  '20-23,43,53,79-81,88,110,143,194,220,389,443,464,465,531,543-544,554,563,587,636,706,749,873,902-904,981,989-995,1194,' +
    '1220,1293,1500,1533,1677,1723,1755,1863,2082-2083,2086-2087,2095-2096,2102-2104,3128,3389,3690,4321,4643,5050,5190,' +
    '5222-5223,5228,5900,6660-6669,6679,6697,8000,8008,8074,8080,8082,8087-8088,8232-8233,8332-8333,8443,8888,9418,9999,' +
    '10000,11371,19294,19638,50002,64738',
)

/** Never opened: mail relaying, file sharing, device management, worm targets and amplifiers. No setting changes this. */
export const HARD_DENIED_PORTS: readonly PortRange[] = ranges(
  '25,69,111,119,123,135-139,161-162,177,389,427,445,500,514-515,520,548,623,631,1900,2049,2323,3702,4500,4786,5351,5353,' +
    '5355,5555,5683,7547,11211,17185,19000,27015,37215,37810,52869',
)

/** The ranges that a profile offers, before the hard denies are taken out. */
export const PORT_PROFILES: Readonly<Record<PortProfile, readonly PortRange[]>> = {
  web: WEB_PORTS,
  'tor-reduced': REDUCED_PORTS,
}

/** Reads a profile's name; `reduced`, the command line's word, is `tor-reduced`. */
export function parsePortProfile(text: string): PortProfile | undefined {
  if (text === 'web') return 'web'
  return text === 'reduced' || text === 'tor-reduced' ? 'tor-reduced' : undefined
}

/** Judges a port under a profile: no port at all, a hard deny, or outside the profile; `undefined` when it is open. */
export function judgePort(port: number, profile: PortProfile): PortReason | undefined {
  const fault = judgePortNumber(port)
  if (fault !== undefined) return fault
  return holds(PORT_PROFILES[profile], port) ? undefined : 'port'
}

/** Judges a port apart from any profile: it must be one, and not be hard denied. */
export function judgePortNumber(port: number): 'port-invalid' | 'port-hard' | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return 'port-invalid'
  return holds(HARD_DENIED_PORTS, port) ? 'port-hard' : undefined
}

function holds(list: readonly PortRange[], port: number): boolean {
  return list.some(([first, last]) => first <= port && port <= last)
}

function ranges(text: string): readonly PortRange[] {
  return text.split(',').map((item) => {
    const [first = '', last = first] = item.split('-')
    return [Number(first), Number(last)]
  })
}
