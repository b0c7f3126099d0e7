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
  const name = basename(process.argv[1] ?? '')
  let isOver = false
  // Leaves without the clean-up, with what the tests came to. Nothing is left to be done: where they are not over, one of them waits for what never comes.
  process.on('beforeExit', (code) => {
    if (!isOver)
      console.error(`byway: a test of ${name} waits for ever; those after it did not run`)
    process.exit(isOver ? code : 1)
  })
  after(() => {
    isOver = true
    setTimeout(() => {
      const left = [...new Set(process.getActiveResourcesInfo())].join(', ')
      console.error(`byway: left open after the last test of ${name}: ${left}`)
      process.exit()
    }, GRACE_MS).unref()
  })
}
