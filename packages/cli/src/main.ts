/** The program `byway`: hands the command line to `runCli`, turns Ctrl-C and SIGTERM into one signal, ends with the exit code. */
import { EXIT_CODE } from './exit-codes.ts'
import { createProcessIo } from './io.ts'
import { runCli } from './program.ts'

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // Whoever asks twice does not want to wait for the end of streams.
    if (stop.signal.aborted) process.exit(EXIT_CODE.INTERRUPTED)
    stop.abort()
  })
}
// A reader that closes the pipe (`byway … | head -1`) has had enough.
process.stdout.on('error', () => process.exit(EXIT_CODE.OK))

// All is disposed of by now. To end by itself is not enough: Node 24 was seen to spin for ever in its clean-up after threads.
process.exit(await runCli(process.argv.slice(2), createProcessIo(stop.signal)))
