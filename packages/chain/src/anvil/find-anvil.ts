/** Where npm put the embedded chain's program: in the package of this system, which `@foundry-rs/anvil` names as optional. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { chainError } from '../errors.ts'

/** The path of the program. @throws CHAIN_ANVIL when npm installed none for this system */
export function findAnvil(): string {
  const system = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  const name = process.platform === 'win32' ? 'anvil.exe' : 'anvil'
  try {
    // Optional packages are beside the one that names them, or nested below it.
    const anvil = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
    const own = createRequire(anvil).resolve(`@foundry-rs/anvil-${system}/package.json`)
    return join(dirname(own), 'bin', name)
  } catch (cause) {
    const hint = `npm installed no anvil for ${system}; run npm ci without --omit=optional`
    throw chainError('CHAIN_ANVIL', { status: 'not installed', hint }, { cause })
  }
}
