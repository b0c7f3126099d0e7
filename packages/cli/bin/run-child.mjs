/**
 * Runs a program in this process's place: the same terminal, signals passed on, its exit status taken over. Written for old Nodes;
 * which Node to run on is the caller's to choose.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/**
 * How Node runs our sources. V8 would let the garbage of a process at rest grow to 48 MB before it looks for it; with 4 MB instead of 16 a
 * relay works as fast.
 */
export const SOURCE_FLAGS = ['--conditions=byway:source', '--max-semi-space-size=4']

/** Keeps what Node makes of TypeScript, in the clone: without it each process takes the types out again, in half of its start and with 25 MB. */
const COMPILE_CACHE = fileURLToPath(
  new URL('../../../node_modules/.cache/byway-compile', import.meta.url),
)

/** The environment in which sources run; a setting of the user's stays. */
export function sourceEnv(env = process.env) {
  return { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env }
}

/**
 * How often to see whether npm's shell still lives. `npx` and `npm start` run a command in a shell that a SIGTERM to npm ends
 * without passing it on; what ran in it would stay for ever.
 */
const PARENT_CHECK_MS = 250

/**
 * @param {string} program path of the executable
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export function runChild(program, args, env = process.env) {
  const child = spawn(program, args, { stdio: 'inherit', env })
  // A terminal sends Ctrl-C to the whole group; what comes to this process alone must reach the child.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  const watch = process.env['npm_command'] && stopWithParent(child)
  child.on('exit', (code, signal) => {
    clearInterval(watch || undefined)
    process.exitCode = code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15)
  })
}

/** @param {import('node:child_process').ChildProcess} child */
function stopWithParent(child) {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    child.kill('SIGTERM')
  }, PARENT_CHECK_MS)
  return watch
}
