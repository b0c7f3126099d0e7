/** File systems in images, mounted for a test: disks that are really small, or lose their power. */
import { spawnSync } from 'node:child_process'
import { mkdir, truncate, writeFile } from 'node:fs/promises'

/** Runs a program to its end; says whether it went well. */
function run(command: string, ...rest: readonly string[]): boolean {
  return spawnSync(command, rest, { stdio: 'ignore' }).status === 0
}

/** Makes an image with an empty ext4, none of it kept for root; false where there is no mkfs.ext4. */
export async function makeImage(image: string, bytes: number): Promise<boolean> {
  await writeFile(image, '')
  await truncate(image, bytes)
  return run('mkfs.ext4', '-q', '-m', '0', image)
}

/** Mounts an image until it is disposed; nothing where images cannot be mounted, as in most containers. */
export async function mountImage(image: string, place: string): Promise<Disposable | undefined> {
  await mkdir(place, { recursive: true })
  if (!run('mount', '-o', 'loop', image, place)) return undefined
  return { [Symbol.dispose]: () => void run('umount', place) }
}
