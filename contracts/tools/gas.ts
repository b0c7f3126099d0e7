/** `npm run gas`: measures what every call costs and writes `contracts/GAS.md`. */
import { writeFileSync } from 'node:fs'
import { GAS_FILE, renderGas } from './gas-document.ts'
import { measureGas } from './gas-table.ts'
import { ROOT } from './solc.ts'

const measured = await measureGas()
writeFileSync(ROOT + GAS_FILE, renderGas(measured))
console.error(`gas: ${Object.keys(measured.gas).length} rows written to ${GAS_FILE}`)
