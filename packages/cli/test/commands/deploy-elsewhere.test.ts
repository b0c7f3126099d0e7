/** `byway deploy` on a chain that is no local one, with contracts whose keys are said to come of a ceremony. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  PROOF_CONTRACTS,
  startAnvil,
  type DeploymentRecord,
  type ProofContracts,
} from '@byway/chain'
import { fromHex } from '@byway/protocol/base'
import { compileChanged } from '../../../../contracts/tools/solc.ts'
import { nextSteps } from '../../src/commands/deploy.ts'
import { parseNetworkFile } from '../../src/config/network-file.ts'
import { runDeploy, type DeployRun } from '../../src/engine/run-deploy.ts'
import { temporaryHome } from '../spawn-byway.ts'

/** Of the public test mnemonic of development chains: funded by anvil, known to everyone. */
const KEY = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const CHAIN_ID = 8453

test("deploys over a token on any chain, once the keys of proofs are a ceremony's", async (t) => {
  const { signal } = t
  const home = await temporaryHome(t)
  await using anvil = await startAnvil({ blockTimeS: 1, signal })
  const keyFile = join(home, 'key')
  await writeFile(keyFile, KEY, { mode: 0o600 })
  const recordFile = (name: string): string => join(home, `${name}.json`)
  const local = { rpcUrls: [anvil.url], keyFile, proofContracts: PROOF_CONTRACTS, signal }
  const { record: first } = await runDeploy({ ...local, recordFile: recordFile('local') })
  await setChainId(anvil.url)

  const ceremony = ofCeremony()
  const elsewhere = (more: Partial<DeployRun>): DeployRun => ({
    ...local,
    rpcUrls: [anvil.url, anvil.url.replace('127.0.0.1', 'localhost')],
    recordFile: recordFile('elsewhere'),
    token: fromHex(first.token.slice(2)),
    confirmations: 2,
    proofContracts: ceremony,
    ...more,
  })
  for (const [code, more] of [
    ['CHAIN_DEVELOPMENT_SET_UP', { proofContracts: PROOF_CONTRACTS }],
    ['CHAIN_NO_TOKEN', { token: undefined }],
    ['CHAIN_CONTRACT', { token: new Uint8Array(20).fill(7) }],
    ['CHAIN_ENDPOINTS', { rpcUrls: [anvil.url] }],
  ] as const)
    await assert.rejects(runDeploy(elsewhere(more)), { code })

  const { record, table } = await runDeploy(elsewhere({}))
  const written = JSON.parse(await readFile(recordFile('elsewhere'), 'utf8')) as DeploymentRecord
  assert.deepEqual(written, record)
  assert.deepEqual(
    [record.chainId, record.authorisation, record.token, record.contracts.token],
    [CHAIN_ID, 'slot-proof-ceremony', first.token, undefined],
  )
  assert.match(nextSteps(record, 'record.json').join('\n'), /byway network sign/)
  assert.doesNotMatch(nextSteps(first, 'record.json').join('\n'), /byway network sign/)
  const { payment } = parseNetworkFile(`name = "main"\nlocal = false\n${table}`)
  assert.deepEqual(
    [payment?.chainId, payment?.tokenSymbol, payment?.tokenDecimals, payment?.confirmations],
    [CHAIN_ID, 'tBYW', 18, 2],
  )
})

/** As `npm run contracts` makes them where the keys' libraries say so. */
function ofCeremony(): ProofContracts {
  const files = ['SlotProofAuthoriser', 'ServiceAuditor'].map((name) => `contracts/src/${name}.sol`)
  const compiled = compileChanged(files, (source) =>
    source.replace('IS_DEVELOPMENT = true', 'IS_DEVELOPMENT = false'),
  )
  const codeOf = (name: string): { readonly bytecode: `0x${string}` } => ({
    bytecode: `0x${compiled.find((one) => one.name === name)?.bytecode ?? ''}`,
  })
  const { authoriser, auditor } = PROOF_CONTRACTS
  return {
    setUp: 'ceremony',
    authoriser: { ...authoriser, ...codeOf('SlotProofAuthoriser') },
    auditor: { ...auditor, ...codeOf('ServiceAuditor') },
  }
}

async function setChainId(url: string): Promise<void> {
  const call = { jsonrpc: '2.0', id: 1, method: 'anvil_setChainId', params: [CHAIN_ID] }
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(call) })
  assert.equal(((await response.json()) as { error?: unknown }).error, undefined)
}
