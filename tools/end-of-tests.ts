/**
 * Loaded before each test file. Ends its process when the tests are over and their reports are out.
 *
 * Not left to Node: its clean-up of handles was seen to spin for ever after a file with threads had passed, and `--test-force-exit` ends a process
 * with reports still in its pipes, names and errors of failures among them. What keeps a file alive after its last test is named.
 */
import { basename } from 'node:path'
import { after } from 'node:test'
import { isMainThread } from 'node:worker_threads'

/** Sockets and children that were told to close may need a while. */
const GRACE_MS = 5_000

if (isMainThread) {
  // Leaves without the clean-up; with what the tests came to.
  process.on('beforeExit', (code) => process.exit(code))
  after(() => {
    setTimeout(() => {
      const left = [...new Set(process.getActiveResourcesInfo())].join(', ')
      console.error(
        `byway: left open after the last test of ${basename(process.argv[1] ?? '')}: ${left}`,
      )
      process.exit()
    }, GRACE_MS).unref()
  })
}
