/**
 * `npm run contracts`: compiles the contracts (some 15 s) unless the artefacts are those of the present sources.
 * `npm run contracts -- --check` only looks, and fails where they are not.
 */
import { findStale, writeArtifacts } from './artifacts.ts'
import { compileAll } from './solc.ts'

const stale = findStale()
if (process.argv.includes('--check')) {
  for (const fault of stale) console.error(`contracts: ${fault}; run \`npm run contracts\``)
  console.error(`contracts: ${stale.length === 0 ? 'artefacts match the sources' : 'STALE'}`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else if (stale.length > 0) {
  const contracts = compileAll()
  writeArtifacts(contracts)
  for (const { name, deployedBytes } of contracts)
    if (deployedBytes > 1000) console.error(`contracts: ${name}, ${deployedBytes} bytes`)
} else {
  console.error('contracts: up to date')
}
