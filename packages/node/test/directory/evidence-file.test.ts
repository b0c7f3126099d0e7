import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromHex } from '@byway/protocol/base'
import { createDescriptorSet, MAX_EVIDENCE, type Evidence } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { openEvidenceFile } from '../../src/directory/evidence-file.ts'
import { makerOf, NOW_MS, RELAY_FACTS } from '../signed-descriptors.ts'

test('two editions under one number are on the disk after a restart, and prove it to anybody', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'byway-evidence-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const file = await openEvidenceFile(home)
  const found: Evidence[] = []
  const set = createDescriptorSet(nodeCrypto, { onEvidence: (evidence) => found.push(evidence) })
  set.offer(makerOf(1).make(RELAY_FACTS, NOW_MS), NOW_MS)
  set.offer(makerOf(1).make({ ...RELAY_FACTS, priceStep: 3 }, NOW_MS), NOW_MS)
  const [evidence] = found
  assert.ok(evidence)
  await Promise.all([file.add(evidence), file.add(evidence)])
  assert.equal((await openEvidenceFile(home)).count, 1)
  const [line = ''] = (await readFile(join(home, 'evidence.txt'), 'utf8')).split('\n')
  const judge = createDescriptorSet(nodeCrypto)
  const verdicts = line
    .split(' ')
    .map((hex) => judge.offer(fromHex(hex) ?? Uint8Array.of(), NOW_MS))
  assert.deepEqual(
    verdicts.map((each) => (each.result === 'refused' ? each.reason : each.result)),
    ['accepted', 'EQUIVOCATION'],
  )
})

test('no more are kept than a contract needs', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'byway-evidence-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const file = await openEvidenceFile(home)
  const all = Array.from({ length: MAX_EVIDENCE + 5 }, (_, number) => ({
    key: '' as Evidence['key'],
    first: Uint8Array.of(number),
    second: Uint8Array.of(number, 1),
  }))
  await Promise.all(all.map((each) => file.add(each)))
  assert.equal((await openEvidenceFile(home)).count, MAX_EVIDENCE)
})
