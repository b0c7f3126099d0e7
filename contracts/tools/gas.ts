/** `npm run gas`: measures what every call costs and writes `contracts/GAS.md`. */
import { writeFileSync } from 'node:fs'
import { GAS_FILE, renderGas } from './gas-document.ts'
import { measureGas } from './gas-table.ts'
import { ROOT } from './solc.ts'

const table = await measureGas()
writeFileSync(ROOT + GAS_FILE, renderGas(table))
console.error(`gas: ${Object.keys(table).length} rows written to ${GAS_FILE}`)
