/**
 * Proofs against nodes that signed two editions under one number (SPEC §10.1), kept in the state folder, since the editions themselves expire: a line each, the two in
 * hexadecimal.
 * @module
 */
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '@byway/home'
import { toHex } from '@byway/protocol/base'
import { MAX_EVIDENCE, type Evidence } from '@byway/protocol/directory'

const FILE_NAME = 'evidence.txt'

/** What a node has found. */
export interface EvidenceFile {
  /** Proofs on the disk, those of earlier runs too. */
  readonly count: number
  /** Writes one more, unless it is known or there are too many. Never rejects: a proof that cannot be kept is found again while the editions live. */
  add(evidence: Evidence): Promise<void>
}

/** Reads what was kept. @throws HOME_FILE_OPEN */
export async function openEvidenceFile(home: string): Promise<EvidenceFile> {
  const path = join(home, FILE_NAME)
  const text = (await readPrivateFile(path)) ?? ''
  const lines = new Set(text.split('\n').filter((line) => line !== ''))
  let writing: Promise<void> = Promise.resolve()
  return {
    get count() {
      return lines.size
    },
    async add({ first, second }) {
      const line = `${toHex(first)} ${toHex(second)}`
      if (lines.has(line) || lines.size >= MAX_EVIDENCE) return
      lines.add(line)
      writing = writing
        .then(() => writePrivateFile(path, `${[...lines].join('\n')}\n`))
        .catch(() => {})
      await writing
    },
  }
}
