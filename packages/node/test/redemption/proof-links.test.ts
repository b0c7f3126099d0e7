/** Service proofs over links (SPEC §17.6). What a proof is, and whether it holds, is the shelf's to say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LINK_MESSAGE } from '@byway/protocol/wire'
import { createFakeLink, nodeIdOf, type FakeLink } from '../fake-link.ts'
import { createProofLinks, type ProofShelf } from '../../src/redemption/proof-links.ts'

const PROVIDER = new Uint8Array(20).fill(7)
const PROOF = new Uint8Array(4890).fill(9)
const NODE = { role: 'node', nodeId: nodeIdOf(1) } as const

function linksOver(neighbours: readonly FakeLink[] = []) {
  const asked: number[] = []
  const taken: Uint8Array[] = []
  let nowMs = 0
  const judging = Promise.withResolvers<void>()
  const shelf: ProofShelf = {
    async find(_provider, epoch) {
      asked.push(epoch)
      if (epoch === 13) throw new Error('the disk')
      return epoch === 5 ? PROOF : undefined
    },
    take(proof) {
      taken.push(proof)
      return judging.promise
    },
  }
  const links = createProofLinks({
    shelf,
    neighbours: () => neighbours,
    nowMs: () => nowMs,
    stopped: new AbortController().signal,
  })
  const get = async (link: FakeLink, epoch: number, requestId = 3) => {
    links.onMessage(link, { type: LINK_MESSAGE.PROOF_GET, requestId, provider: PROVIDER, epoch })
    await new Promise(setImmediate)
    return link.sent.at(-1)
  }
  const pass = (ms: number): void => void (nowMs += ms)
  return { links, asked, taken, judging, get, pass }
}

test('anybody is shown a proof, and told when there is none', async () => {
  const { get } = linksOver()
  for (const link of [createFakeLink(NODE), createFakeLink({ role: 'client' })]) {
    const answer = { type: LINK_MESSAGE.PROOF, requestId: 3 }
    assert.deepEqual(await get(link, 5), { ...answer, proof: PROOF })
    for (const epoch of [6, 13])
      assert.deepEqual(await get(link, epoch), { ...answer, proof: new Uint8Array(0) })
  }
})

test('who asks without end gets empty answers, and a real one again after a while', async () => {
  const { get, asked, pass } = linksOver()
  const link = createFakeLink({ role: 'client' })
  for (let i = 0; i < 20; i++) await get(link, 5)
  assert.equal(asked.length, 16)
  assert.deepEqual(await get(link, 5), {
    type: LINK_MESSAGE.PROOF,
    requestId: 3,
    proof: new Uint8Array(0),
  })
  pass(1000)
  await get(link, 5)
  assert.equal(asked.length, 17)
})

test('a node leaves its proof with at most eight neighbours', () => {
  const neighbours = Array.from({ length: 10 }, () => createFakeLink(NODE))
  linksOver(neighbours).links.leave(PROOF)
  assert.deepEqual(
    neighbours.map(({ sent }) => sent.length),
    [1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
  )
  assert.deepEqual(neighbours[0]?.sent, [{ type: LINK_MESSAGE.PROOF, requestId: 0, proof: PROOF }])
})

test('what a neighbour leaves is copied, judged a few at a time, and seldom', async () => {
  const { links, taken, judging } = linksOver()
  const cell = Uint8Array.from(PROOF)
  const leave = (link: FakeLink): void =>
    links.onMessage(link, { type: LINK_MESSAGE.PROOF, requestId: 0, proof: cell })
  const one = createFakeLink(NODE)
  for (let i = 0; i < 5; i++) leave(one)
  assert.equal(taken.length, 2)
  cell.fill(0)
  assert.deepEqual(taken[0], PROOF)
  for (let i = 0; i < 5; i++) leave(createFakeLink(NODE))
  assert.equal(taken.length, 4, 'four are judged at once')
  judging.reject(new Error('the chain'))
  await new Promise(setImmediate)
  leave(createFakeLink(NODE))
  assert.equal(taken.length, 5, 'one that could not be judged is over')
  assert.equal(one.isClosed, false)
})

test('a client that leaves a proof, and an answer that nobody asked for, break a rule', () => {
  const { links, taken } = linksOver()
  const client = createFakeLink({ role: 'client' })
  links.onMessage(client, { type: LINK_MESSAGE.PROOF, requestId: 0, proof: PROOF })
  const node = createFakeLink(NODE)
  links.onMessage(node, { type: LINK_MESSAGE.PROOF, requestId: 1, proof: PROOF })
  assert.deepEqual([client.isClosed, node.isClosed, taken.length], [true, true, 0])
})
