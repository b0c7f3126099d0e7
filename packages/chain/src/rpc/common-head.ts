/**
 * The newest block that the endpoints agree on. They see new blocks at different moments, and a short fork for some seconds; so those far behind the others
 * do not count, and of the rest the lowest head is taken, or an older block where their chains part.
 */
import type { Quorum } from './quorum.ts'
import { unreachable } from './quorum.ts'
import { provenBloom } from '../contracts/log-bloom.ts'
import { parseBlock, type BlockHeader } from './parse.ts'

// Local limits (tunable): docs/LIMITS.md.
/** An endpoint this far behind another one is stuck; it does not count. A minute or two of an L2. */
const MAX_LAG_BLOCKS = 32
/** Chains that part deeper than this are no fork of the moment: someone lies. */
const MAX_FORK_BLOCKS = 16

/**
 * @param last - what was found the last time: given again while it is still the newest
 * @throws CHAIN_UNREACHABLE when too few endpoints are near the top, CHAIN_DISAGREE when their chains part too deep, or the signal's reason
 */
export async function commonHead(
  quorum: Quorum,
  signal: AbortSignal,
  last?: BlockHeader,
): Promise<BlockHeader> {
  const heads = await ask(quorum, 'latest', signal)
  const known = heads.filter((head) => head !== undefined)
  const top = Math.max(...known.map(({ header }) => header.number))
  const isFresh = heads.map((head) => head && head.header.number >= top - MAX_LAG_BLOCKS)
  const fresh = known.filter(({ header }) => header.number >= top - MAX_LAG_BLOCKS)
  if (fresh.length < quorum.needed) {
    const fault = known.length >= quorum.needed ? 'lagging' : 'connect'
    throw unreachable(METHOD, fresh.length, quorum.needed, fault)
  }
  const lowest = Math.min(...fresh.map(({ header }) => header.number))
  for (let step = 0; step <= MAX_FORK_BLOCKS; step = step * 2 + 1) {
    const number = lowest - step
    if (number < 0) break
    const isKnown = step === 0 && fresh.every(({ header }) => header.number === lowest)
    const asked = isKnown ? heads : await ask(quorum, number, signal)
    const blocks = asked.filter((each, i) => isFresh[i] && each?.header.number === number)
    const [first] = blocks
    if (blocks.length < quorum.needed || !first) {
      throw unreachable(METHOD, blocks.length, quorum.needed, 'format')
    }
    const { hash } = first.header
    if (!blocks.every((each) => each?.header.hash === hash)) continue
    return hash === last?.hash ? last : { ...first.header, bloom: provenBloom(first.block) }
  }
  throw quorum.disagree(METHOD, fresh.length)
}

/** A block as an endpoint tells it, and what was read of it. */
type Told = { readonly header: BlockHeader; readonly block: unknown }

async function ask(
  quorum: Quorum,
  block: number | 'latest',
  signal: AbortSignal,
): Promise<readonly (Told | undefined)[]> {
  const tag = block === 'latest' ? block : `0x${block.toString(16)}`
  const answers = await quorum.askAll(METHOD, [tag, false], signal)
  return answers.map((answer) => {
    const told = answer.type === 'result' ? answer.result : undefined
    const header = parseBlock(told)
    return header && { header, block: told }
  })
}

const METHOD = 'eth_getBlockByNumber'
