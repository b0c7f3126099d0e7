/** What must be gone when this program ends, however it ends short of SIGKILL. One listener for any number of things: Node warns of more than ten. @module */

const ends = new Set<() => void>()

/** Has something ended, synchronously, when the process exits: what came last goes first. Returns what takes it back. */
export function onExit(end: () => void): () => void {
  if (ends.size === 0) process.once('exit', endAll)
  ends.add(end)
  return () => {
    ends.delete(end)
    if (ends.size === 0) process.off('exit', endAll)
  }
}

function endAll(): void {
  for (const end of [...ends].toReversed()) end()
}
