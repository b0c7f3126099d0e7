/**
 * Proofs against nodes that signed two editions under one number (SPEC §10.1), kept in the state folder, since the editions themselves expire: a line each, the two in
 * hexadecimal.
 * @module
 */
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '@byway/home'
import { fromHex, toHex } from '@byway/protocol/base'
import { MAX_EVIDENCE, type Evidence } from '@byway/protocol/directory'
import { decodeDescriptor } from '@byway/protocol/wire'

const FILE_NAME = 'evidence.txt'

/** What a node has found. */
export interface EvidenceFile {
  /** Proofs on the disk, those of earlier runs too. */
  readonly count: number
  /** Writes one more, unless it is known or there are too many. Never rejects: a proof that cannot be kept is found again while the editions live. */
  add(evidence: Evidence): Promise<void>
}

/** What two editions under one number are, whosever they are. */
export type EditionPair = Pick<Evidence, 'first' | 'second'>

/** Reads what was kept. @param onPair - told of each that was, and of each new one @throws HOME_FILE_OPEN */
export async function openEvidenceFile(
  home: string,
  onPair: (pair: EditionPair) => void = () => {},
): Promise<EvidenceFile> {
  const path = join(home, FILE_NAME)
  const text = (await readPrivateFile(path)) ?? ''
  const lines = new Set(text.split('\n').filter((line) => line !== ''))
  for (const pair of [...lines].flatMap(pairOf)) onPair(pair)
  let writing: Promise<void> = Promise.resolve()
  return {
    get count() {
      return lines.size
    },
    async add({ first, second }) {
      const line = `${toHex(first)} ${toHex(second)}`
      if (lines.has(line) || lines.size >= MAX_EVIDENCE) return
      lines.add(line)
      onPair({ first, second })
      writing = writing
        .then(() => writePrivateFile(path, `${[...lines].join('\n')}\n`))
        .catch(() => {})
      await writing
    },
  }
}

/** Nothing for a line that somebody has spoiled. */
function pairOf(line: string): readonly EditionPair[] {
  const [first, second] = line.split(' ').map(fromHex)
  return first && second && isEdition(first) && isEdition(second) ? [{ first, second }] : []
}

function isEdition(bytes: Uint8Array): boolean {
  try {
    return decodeDescriptor(bytes).signature.length > 0
  } catch {
    return false
  }
}
