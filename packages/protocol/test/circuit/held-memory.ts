/** What this process holds once all garbage is gone: for machines that must keep nothing of what they refuse. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of buffers, cells among them, that something still refers to. The heap of objects moves by itself, as code is compiled. */
export function heldBytes(): number {
  // What the first run frees lets the second free more.
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}
