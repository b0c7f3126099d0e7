import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBywayError, NO_LOG } from '@byway/protocol/base'
import { createAccountant } from '@byway/protocol/circuit'
import { createDescriptorSet } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { judge } from '@byway/protocol/policy'
import { assembleExit } from '../../src/exit/assemble-exit.ts'
import type { ExitRoleOptions } from '../../src/exit/exit-options.ts'
import type { MemoryOwner } from '../../src/exit/tunnel-registry.ts'
import { watchNetwork } from '../../src/exit/watch-network.ts'

const network = {
  name: 'test',
  local: true,
  reachablePrefixes: ['127.0.0.0/8'],
  asnTable: [],
  bootstrap: [],
  exitTargets: [],
}

async function assemble(options: Partial<ExitRoleOptions>) {
  const chosen: ExitRoleOptions = { profile: 'web', dnsServers: [], ...options }
  const directory = createDescriptorSet(nodeCrypto)
  const watch = { network, directory, seenAddresses: () => [], onChange: () => {} }
  const ownNetwork = await watchNetwork(watch, chosen)
  const accountant = createAccountant<MemoryOwner>(1024 * 1024)
  const role = await assembleExit({ ownNetwork, accountant, nowMs: () => 0, log: NO_LOG }, chosen)
  return { ...role, ownNetwork }
}

test('refuses the prefixes and names that the operator denies, and what is below them', async () => {
  const role = await assemble({ denyPrefixes: ['9.9.9.0/24'], denyNames: ['bad.example'] })
  const context = role.ownNetwork.context()
  const reasonOf = (host: string, answers: string[] = []): string =>
    judge({ host, port: 443, answers, context }).reason
  assert.equal(reasonOf('9.9.9.9'), 'operator-address')
  assert.equal(reasonOf('9.9.10.9'), 'ok')
  assert.equal(reasonOf('www.bad.example', ['1.1.1.1']), 'operator-name')
  assert.equal(reasonOf('good.example', ['1.1.1.1']), 'ok')
  assert.equal(reasonOf('good.example', ['9.9.9.1']), 'operator-address')
  role.service.closeAll()
  await role.ownNetwork[Symbol.asyncDispose]()
})

for (const options of [{ denyPrefixes: ['9.9.9.9/99'] }, { denyNames: ['no spaces'] }]) {
  test(`does not start with a denial that it cannot read: ${JSON.stringify(options)}`, async () => {
    await assert.rejects(
      assemble(options),
      (error) => isBywayError(error) && error.code === 'NODE_EXIT_OPTION',
    )
  })
}
