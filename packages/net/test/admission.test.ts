import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AdmissionLimits, DEFAULT_ADMISSION_LIMITS } from '@byway/net'
import { type Admitted, createAdmission } from '../src/admission.ts'

const books = (limits: Partial<AdmissionLimits> = {}) =>
  createAdmission({ ...DEFAULT_ADMISSION_LIMITS, ...limits }, () => 0.5)

function admitted(result: Admitted | string): Admitted {
  if (typeof result === 'string') assert.fail(`refused: ${result}`)
  return result
}

test('a burst of 40 and 20 a second are let in; more brings a penalty of 24 h times 1 to 1.5', () => {
  const admission = books()
  const hourMs = 3_600_000
  for (let i = 0; i < 40; i++) admitted(admission.admit('192.0.2.1', 0)).release()
  for (let s = 1; s <= 3; s++)
    for (let i = 0; i < 20; i++) admitted(admission.admit('192.0.2.1', s * 1000)).release()
  assert.equal(admission.admit('192.0.2.1', 3000), 'rate')
  assert.equal(admission.admit('192.0.2.1', 3000 + 24 * hourMs), 'penalty')
  assert.equal(admission.admit('192.0.2.1', 3000 + 29.9 * hourMs), 'penalty')
  admitted(admission.admit('192.0.2.1', 3001 + 30 * hourMs))
})

test('one address at its limits takes nothing from another', () => {
  const admission = books({ halfOpenPerAddress: 1 })
  admitted(admission.admit('192.0.2.1', 0))
  assert.equal(admission.admit('192.0.2.1', 0), 'half-open')
  admitted(admission.admit('192.0.2.2', 0))
})

test('an IPv4 address counts the same in its IPv6 form', () => {
  const admission = books({ halfOpenPerAddress: 1 })
  admitted(admission.admit('192.0.2.1', 0))
  assert.equal(admission.admit('::ffff:192.0.2.1', 0), 'half-open')
})

test('IPv6 counts for the /64, and four times as generously for the /48', () => {
  const admission = books({ linksPerAddress: 2 })
  admitted(admission.admit('2001:db8:1:1::1', 0)).established()
  admitted(admission.admit('2001:db8:1:1::2', 0)).established()
  assert.equal(admission.admit('2001:db8:1:1:ffff::3', 0), 'links')
  for (const subnet of [2, 2, 3, 3, 4, 4])
    admitted(admission.admit(`2001:db8:1:${subnet}::1`, 0)).established()
  assert.equal(admission.admit('2001:db8:1:5::1', 0), 'links')
  admitted(admission.admit('2001:db8:2::1', 0))
  assert.equal(admission.links, 8)
})

test('established moves a connection from half-open to link, and release frees its place once', () => {
  const admission = books({ linksPerAddress: 1 })
  const first = admitted(admission.admit('192.0.2.1', 0))
  assert.deepEqual([admission.halfOpen, admission.links], [1, 0])
  first.established()
  first.established()
  assert.deepEqual([admission.halfOpen, admission.links], [0, 1])
  assert.equal(admission.admit('192.0.2.1', 0), 'links')
  first.release()
  first.release()
  first.established()
  assert.deepEqual([admission.halfOpen, admission.links], [0, 0])
  admitted(admission.admit('192.0.2.1', 0))
})

test('the listener as a whole has limits too', () => {
  const admission = books({ links: 3, halfOpen: 2 })
  const first = admitted(admission.admit('192.0.2.1', 0))
  admitted(admission.admit('192.0.2.2', 0))
  assert.equal(admission.admit('192.0.2.3', 0), 'full')
  first.established()
  admitted(admission.admit('192.0.2.4', 0))
  assert.equal(admission.admit('192.0.2.5', 0), 'links')
})

test('a million addresses are not remembered, and those with links are kept before those without', () => {
  const admission = books({ addresses: 100, linksPerAddress: 1 })
  admitted(admission.admit('192.0.2.1', 0)).established()
  for (let i = 0; i < 20_000; i++)
    admitted(admission.admit(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, i)).release()
  assert.equal(admission.admit('192.0.2.1', 20_000), 'links')
})

test('what is no address is refused', () => {
  assert.equal(books().admit('', 0), 'address')
  assert.equal(books().admit('localhost', 0), 'address')
})
