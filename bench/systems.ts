/** Every system that the bench knows, in the order of the tables. */
import type { Candidate } from './lib/system.ts'
import { createByway } from './peers/byway.ts'
import { createDirect } from './peers/direct.ts'
import { createNginxStream } from './peers/nginx-stream.ts'
import { createShadowsocks } from './peers/shadowsocks.ts'
import { createSplice } from './peers/splice.ts'
import type { TorFlavour } from './peers/tor-config.ts'
import { createTorNet } from './peers/tor-net.ts'

/** The Tor networks: the reference of the goals, the same with the public network's congestion control, and KIST. */
const TOR_FLAVOURS: readonly TorFlavour[] = [
  { name: 'tor-vanilla', scheduler: 'Vanilla', congestionControl: 'sendme' },
  { name: 'tor-vegas', scheduler: 'Vanilla', congestionControl: 'vegas' },
  { name: 'tor-kist', scheduler: 'KIST', congestionControl: 'vegas' },
]

/** Creates every system; none is started. */
export function createSystems(log: (text: string) => void): Candidate[] {
  return [
    createDirect(),
    createSplice(),
    createNginxStream(),
    createShadowsocks(),
    ...TOR_FLAVOURS.map((flavour) => createTorNet(flavour, log)),
    createByway(1),
    createByway(2),
    createByway(3),
  ]
}
