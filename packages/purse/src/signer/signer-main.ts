/**
 * The signer's process. It is started by `start-signer.ts` with a pipe to it and nothing else: no arguments, no environment, no log. The signals that end the program in a
 * terminal or a service reach it too and are passed over: the program still needs it while it stops, and the end of the pipe ends it.
 * @module
 */
import { serveSigner } from './serve-signer.ts'

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {})
await serveSigner(process.stdin, process.stdout, () => Date.now())
process.exit(0)
