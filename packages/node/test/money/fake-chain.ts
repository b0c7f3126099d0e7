/** A chain whose slots and roots are what a test says; it can hang and fail. Only what a node asks of it. */
import type { ChainView } from '@byway/chain'
import type { SlotState, SlotWord } from '@byway/protocol/payment'

export type FakeChain = Pick<ChainView, 'head' | 'slot' | 'publishedRoot'> & {
  nowS: number
  mood: 'answers' | 'hangs' | 'fails'
  /** Questions so far. */
  asked: number
  /** @param timeS - when the state began */
  setSlot(nullifier: Uint8Array, state: SlotState, holder?: Uint8Array, timeS?: number): void
  /** Somebody has shown that it was used twice. */
  burn(nullifier: Uint8Array): void
  /** The newest from then on. */
  publish(root: Uint8Array, atS: number): void
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const NOBODY = new Uint8Array(20)

export function createFakeChain(): FakeChain {
  const slots = new Map<string, SlotWord>()
  const roots: { readonly name: string; readonly atS: number }[] = []
  const answer = async <T>(value: () => T): Promise<T> => {
    chain.asked++
    if (chain.mood === 'hangs') return await new Promise<T>(() => {})
    if (chain.mood === 'fails') throw new Error('the chain cannot be asked')
    return await Promise.resolve(value())
  }
  const wordOf = (state: SlotState, holder: Uint8Array, timeS: number): SlotWord => ({
    holder,
    lastIndex: 0,
    wins: 0,
    state,
    isBurned: false,
    timeS,
  })
  const chain: FakeChain = {
    nowS: 1_000_000,
    mood: 'answers',
    asked: 0,
    setSlot: (nullifier, state, holder = NOBODY, timeS = chain.nowS) =>
      void slots.set(hex(nullifier), wordOf(state, holder, timeS)),
    burn: (nullifier) =>
      void slots.set(hex(nullifier), {
        ...(slots.get(hex(nullifier)) ?? wordOf('none', NOBODY, 0)),
        isBurned: true,
      }),
    publish: (root, atS) => void roots.push({ name: hex(root), atS }),
    head: () => answer(() => ({ number: 1, hash: '0x00', timeS: chain.nowS })),
    slot: (nullifier) => answer(() => slots.get(hex(nullifier)) ?? wordOf('none', NOBODY, 0)),
    publishedRoot: (root) =>
      answer(() => {
        const place = roots.findIndex(({ name }) => name === hex(root))
        const publishedAtS = roots[place]?.atS
        const supersededAtS = roots[place + 1]?.atS
        return publishedAtS === undefined ? undefined : { root, publishedAtS, supersededAtS }
      }),
  }
  return chain
}
