/** A flood of descriptors in every form that the rules let through (SPEC §10.2, THREAT-MODEL T12): what is kept of it, in nodes and bytes, and what it costs in checks of signatures. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDescriptorSet, MAX_EVIDENCE, nodeKeyOf } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { decodeDescriptor, LINK_MESSAGE } from '@byway/protocol/wire'
import { MAX_DIRECTORY_PARTS, packDirectory } from '@byway/net'
import { createDirectoryService } from '../../src/directory/directory-service.ts'
import { createFakeLink, nodeIdOf } from '../fake-link.ts'
import { makerOf, NOW_MS, RELAY_FACTS, signedDescriptor } from '../signed-descriptors.ts'

const STAKED = 80
const BLOCK_BYTES = 16_000

/** A node that knows eighty with a stake, one neighbour, and a count of the signatures that it checks. */
function world() {
  const staked = Array.from({ length: STAKED }, (_, number) => signedDescriptor(number + 1))
  const keys = new Set(staked.map((bytes) => nodeKeyOf(decodeDescriptor(bytes).descriptor.nodeId)))
  const cost = { checks: 0 }
  const counting: typeof nodeCrypto = {
    ...nodeCrypto,
    ed25519Verify: (...of) => {
      cost.checks++
      return nodeCrypto.ed25519Verify(...of)
    },
  }
  const set = createDescriptorSet(counting, { admits: ({ nodeId }) => keys.has(nodeKeyOf(nodeId)) })
  const link = createFakeLink({ role: 'node', nodeId: nodeIdOf(9) })
  const service = createDirectoryService({
    set,
    nodeLinks: () => [link],
    own: () => undefined,
    isFlooding: false,
    nowMs: () => NOW_MS,
  })
  for (const bytes of staked) assert.equal(set.offer(bytes, NOW_MS).result, 'accepted')
  cost.checks = 0
  const keptBytes = (): number =>
    [...set.entries()].reduce((sum, { bytes }) => sum + bytes.length, 0)
  return { set, service, link, cost, staked, keptBytes }
}

function flood(
  { service, link }: Pick<ReturnType<typeof world>, 'service' | 'link'>,
  descriptors: readonly Uint8Array[],
): void {
  const blocks = [...packDirectory(descriptors, BLOCK_BYTES)]
  service.ask(link)
  for (let part = 0; part < MAX_DIRECTORY_PARTS; part++) {
    const block = blocks[part % blocks.length] ?? new Uint8Array(0)
    const last = part === MAX_DIRECTORY_PARTS - 1
    service.onMessage(link, {
      type: LINK_MESSAGE.DIRECTORY_PART,
      requestId: 1,
      last,
      asOfS: 1,
      block,
    })
  }
}

test('a whole answer of signed descriptors without stakes is not kept, and no signature of it is checked', () => {
  const here = world()
  const before = here.keptBytes()
  flood(
    here,
    Array.from({ length: 40 }, (_, number) => signedDescriptor(1000 + number)),
  )
  assert.deepEqual(
    [here.set.size, here.keptBytes(), here.cost.checks, here.link.isClosed],
    [STAKED, before, 0, false],
  )
})

test('a whole answer of second editions leaves as many proofs as are kept, one check each, and no other byte', () => {
  const here = world()
  const before = here.keptBytes()
  const seconds = Array.from({ length: STAKED }, (_, number) =>
    makerOf(number + 1).make({ ...RELAY_FACTS, asn: 7 }, NOW_MS),
  )
  flood(here, seconds)
  assert.deepEqual(
    [here.set.size, here.keptBytes(), here.set.evidence().length, here.cost.checks],
    [STAKED, before, MAX_EVIDENCE, MAX_EVIDENCE],
  )
})

test('a node that signs edition upon edition takes no more room for it, and few are checked', () => {
  const here = world()
  const maker = makerOf(1)
  const editions = Array.from({ length: 200 }, () => maker.make(RELAY_FACTS, NOW_MS))
  const before = here.keptBytes()
  flood(here, editions)
  assert.equal(here.set.size, STAKED)
  assert.equal(here.keptBytes(), before)
  assert.ok(here.cost.checks <= 6, `${here.cost.checks}`)
})
