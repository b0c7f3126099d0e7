/** Copies of a store's files as they stand while it is open: what a power cut would leave of them. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Copies a store's folder, whose store may be open. */
export async function copyStore(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  // The index of the log lives in shared memory and does not outlive a power cut.
  await cp(from, to, { recursive: true, filter: (path) => !path.endsWith('-shm') })
}

/** Changes a file's bytes. */
export async function edit(
  folder: string,
  name: string,
  change: (content: Buffer) => Buffer,
): Promise<void> {
  const path = join(folder, name)
  await writeFile(path, change(await readFile(path)))
}

/** Flips one bit. */
export function flipped(content: Buffer, at: number, bit = 0): Buffer {
  const copy = Buffer.from(content)
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << bit), at)
  return copy
}
