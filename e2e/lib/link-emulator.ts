/** Starts and steers `link-emulator.py`: one emulated link between two network namespaces. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** One direction of a link. */
export type DirectionSettings = {
  /** One way, in milliseconds. @default 0 */
  readonly delayMs?: number | undefined
  /** Chance of each packet to be lost, 0 to 100; 100 is a black hole. @default 0 */
  readonly lossPercent?: number | undefined
  /** Megabits (10^6) of IP packets per second; 0 for no limit. Faithful to about 200. @default 0 */
  readonly rateMbit?: number | undefined
  /** Bytes that may wait for the rate before packets are dropped. @default 256 KiB */
  readonly queueBytes?: number | undefined
}

/** Both directions; `leftToRight` and `rightToLeft` stand over what is said for both. */
export type LinkSettings = DirectionSettings & {
  readonly leftToRight?: DirectionSettings | undefined
  readonly rightToLeft?: DirectionSettings | undefined
  /** Seed of the losses. @default 1 */
  readonly seed?: number | undefined
}

/** Packets of one direction: passed on, lost by chance, dropped by a full queue. */
export type DirectionCounters = {
  readonly sent: number
  readonly lost: number
  readonly overflowed: number
  /** Most bytes that ever waited for the rate at once, the packet just taken in included. */
  readonly maxWaitingBytes: number
}

/** Counters of both directions. */
export type LinkCounters = {
  readonly leftToRight: DirectionCounters
  readonly rightToLeft: DirectionCounters
}

/** A link that is up. */
export interface EmulatedLink {
  readonly leftAddress: string
  readonly rightAddress: string
  /** The interface's name, the same in both namespaces. */
  readonly deviceName: string
  /** Changes settings from now on (packets already queued keep their time); resolves with the counters. */
  change(settings: LinkSettings): Promise<LinkCounters>
  /** Takes the link down. */
  close(): Promise<void>
}

/** The namespaces that a link joins; `index` chooses its subnet and device. */
export type LinkPlace = { readonly left: string; readonly right: string; readonly index: number }

const DEFAULTS = { delayMs: 0, lossPercent: 0, rateMbit: 0, queueBytes: 256 * 1024 } as const
/** The link is up in a tenth of a second; a busy machine may take longer. */
const ANSWER_TIMEOUT_MS = 15_000
const MTU_BYTES = 1500

/** Starts a link. @throws Error when the devices cannot be made. */
export async function startLink(place: LinkPlace, settings: LinkSettings): Promise<EmulatedLink> {
  const [leftAddress, rightAddress] = [`10.77.${place.index}.1`, `10.77.${place.index}.2`]
  const { seed = 1, leftToRight, rightToLeft, ...both } = settings
  const config = {
    left: { namespace: place.left, address: leftAddress, peerAddress: rightAddress },
    right: { namespace: place.right, address: rightAddress, peerAddress: leftAddress },
    deviceName: `link${place.index}`,
    mtu: MTU_BYTES,
    seed,
    leftToRight: { ...DEFAULTS, ...both, ...leftToRight },
    rightToLeft: { ...DEFAULTS, ...both, ...rightToLeft },
  }
  const script = fileURLToPath(new URL('./link-emulator.py', import.meta.url))
  const emulator = spawn('python3', [script, JSON.stringify(config)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => {
    emulator.once('exit', () => resolve()).once('error', () => resolve())
  })
  emulator.stdin.on('error', () => undefined)
  const answers: ((line: string) => void)[] = []
  createInterface({ input: emulator.stdout }).on('line', (line) => answers.shift()?.(line))
  const nextAnswer = async (): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    answers.push(resolve)
    const timer = setTimeout(
      () => reject(new Error('the link emulator did not answer')),
      ANSWER_TIMEOUT_MS,
    )
    void ended.then(() => reject(new Error('the link emulator ended')))
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }
  const close = async (): Promise<void> => {
    emulator.stdin.end()
    await ended
  }
  try {
    await nextAnswer()
  } catch (cause) {
    emulator.kill('SIGKILL')
    throw cause
  }
  return {
    leftAddress,
    rightAddress,
    deviceName: config.deviceName,
    change: async ({ seed: _seed, leftToRight: right, rightToLeft: left, ...same }) => {
      const change = { leftToRight: { ...same, ...right }, rightToLeft: { ...same, ...left } }
      emulator.stdin.write(`${JSON.stringify(change)}\n`)
      return JSON.parse(await nextAnswer()) as LinkCounters
    },
    close,
  }
}
