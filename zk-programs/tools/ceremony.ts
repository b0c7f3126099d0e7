/**
 * Phase 2 of a real set-up (docs/CEREMONY.md): each contributor mixes a secret of their own into a program's key and forgets it; one who is honest is enough. Secrets are drawn here and
 * live no longer than the process. `npm run ceremony -- begin|contribute|verify|finalise …`.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { zKey } from 'snarkjs'
import { compile } from './build.ts'

/** Of a contributor's secret. */
const SECRET_BYTES = 64
const LEAST_BEACON_BYTES = 32
/** 2^10 hashes of the beacon. */
const BEACON_ITERATIONS = 10

/** Compiles a program and makes the key that the first contributor takes: `NAME.r1cs` and `NAME.0.zkey` in the folder. Gives the key's hash. */
async function begin(
  name: string,
  powersOfTau: string,
  folder: string,
  place?: string,
): Promise<string> {
  mkdirSync(folder, { recursive: true })
  compile(name, folder, place)
  const key = join(folder, `${name}.0.zkey`)
  await zKey.newZKey(join(folder, `${name}.r1cs`), powersOfTau, key)
  return await sha256Of(key)
}

/** Mixes a fresh secret into `from` and writes `to`. Gives what the contributor publishes: the file's hash. */
async function contribute(from: string, to: string, name: string): Promise<string> {
  if (!/^[\w .@-]{1,64}$/.test(name))
    throw new Error('a name has 1 to 64 letters, digits, blanks and . @ - _')
  await zKey.contribute(from, to, name, randomBytes(SECRET_BYTES).toString('hex'))
  return await sha256Of(to)
}

/** Ends the ceremony with a public beacon that nobody could know when the last contributor went. Gives the file's hash. */
async function finalise(from: string, to: string, beacon: string): Promise<string> {
  if (!/^(?:[0-9a-f]{2})+$/.test(beacon) || beacon.length < 2 * LEAST_BEACON_BYTES)
    throw new Error('a beacon has 32 bytes or more, as lower-case hexadecimal digits')
  await zKey.beacon(from, to, 'final beacon', beacon, BEACON_ITERATIONS)
  return await sha256Of(to)
}

/** True when the key comes of this program and these powers of tau by contributions alone. */
async function verify(r1cs: string, powersOfTau: string, key: string): Promise<boolean> {
  try {
    return await zKey.verifyFromR1cs(r1cs, powersOfTau, key)
  } catch {
    // A file that is no key.
    return false
  }
}

/** Gives the line for people. @throws what is wrong with the arguments or the files */
async function ceremony(
  verb: string,
  [a = '', b = '', c = '', place]: readonly string[],
): Promise<string> {
  if (verb === 'begin') return `${c}: ${await begin(a, b, c, place)}`
  if (verb === 'contribute') return `${b}: ${await contribute(a, b, c)}`
  if (verb === 'finalise') return `${b}: ${await finalise(a, b, c)}`
  if (verb !== 'verify')
    throw new Error('one of begin, contribute, verify, finalise (docs/CEREMONY.md)')
  if (!(await verify(a, b, c)))
    throw new Error(`${c} does not come of this program and these powers`)
  return `${c} is sound: ${await sha256Of(c)}`
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

if (import.meta.main) {
  const [verb = '', ...rest] = process.argv.slice(2)
  try {
    process.stdout.write(`${await ceremony(verb, rest)}\n`)
    // snarkjs leaves worker threads behind.
    process.exit(0)
  } catch (error) {
    process.stderr.write(`ceremony: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  }
}
