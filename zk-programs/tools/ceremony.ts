/**
 * Phase 2 of a real set-up (docs/CEREMONY.md): each contributor mixes a secret of their own into a program's key and forgets it; one who is honest is enough. Secrets are drawn here and
 * live no longer than the process. `npm run ceremony -- begin|contribute|verify|finalise|install|keep|revert|resume …`.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { zKey } from 'snarkjs'
import { compile } from './build.ts'
import { type Candidate, type Installed, install, keepPinned } from './install.ts'
import { resume, type Replaced, revert } from './replace-files.ts'

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

const VERBS: Readonly<Record<string, (args: readonly string[]) => Promise<string>>> = {
  begin: async ([name = '', powers = '', folder = '', place]) =>
    `${folder}: ${await begin(name, powers, folder, place)}`,
  contribute: async ([from = '', to = '', name = '']) =>
    `${to}: ${await contribute(from, to, name)}`,
  finalise: async ([from = '', to = '', beacon = '']) =>
    `${to}: ${await finalise(from, to, beacon)}`,
  async verify([r1cs = '', powers = '', key = '']) {
    if (!(await verify(r1cs, powers, key)))
      throw new Error(`${key} does not come of this program and these powers`)
    return `${key} is sound: ${await sha256Of(key)}`
  },
  install: async (args) => installedText(await install(candidatesIn(args))),
  keep: async ([name = '', key = '']) => keepPinned(name, key).join('\n'),
  revert: async () => replacedText(revert(ROOT)),
  resume: async () => replacedText(resume(ROOT)),
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** One of its steps. Gives the lines for people. @throws what is wrong with the arguments or the files */
export async function ceremony(verb: string, args: readonly string[]): Promise<string> {
  const run = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined
  if (!run) throw new Error(`one of ${Object.keys(VERBS).join(', ')} (docs/CEREMONY.md)`)
  return await run(args)
}

function candidatesIn(args: readonly string[]): readonly Candidate[] {
  if (args.length % 3 !== 0) throw new Error('for each program: NAME POWERS.ptau KEY.zkey')
  return Array.from({ length: args.length / 3 }, (_, at) => {
    const [program = '', powersOfTau = '', key = ''] = args.slice(3 * at)
    return { program, powersOfTau, key }
  })
}

function installedText({ ceremonies, replaced, development }: Installed): string {
  const lines = Object.entries(ceremonies).flatMap(([name, one]) => [
    name,
    `  powers of tau  ${one.powersOfTau}`,
    ...one.contributors.map((contributor) => `  contributor    ${contributor}`),
    `  beacon         ${one.beacon}`,
  ])
  const worth =
    development.length > 0
      ? `still development keys, for the local chain only: ${development.join(', ')}`
      : "all keys are ceremonies': contracts with them deploy on any chain"
  return [...lines, replacedText(replaced), worth, 'the way back: revert'].join('\n')
}

function replacedText(replaced: readonly Replaced[]): string {
  const lines = replaced.map(
    ({ path, before, after }) => `  ${path}  ${before.slice(0, 16)} → ${after.slice(0, 16)}`,
  )
  return [`replaced ${replaced.length} files`, ...lines].join('\n')
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
