import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccountant } from '@byway/protocol/circuit'
import { createDnsCache } from '../../src/exit/dns-cache.ts'
import type { DnsLookup, DnsResolver } from '../../src/exit/dns-stub.ts'

const MINUTE_MS = 60_000

function fixture(
  ttlMs: number,
  fuzz: number,
  limits: { readonly accountBytes?: number; readonly maxBytes?: number } = {},
) {
  const accountant = createAccountant<never>(limits.accountBytes ?? 1e9)
  const asked: string[] = []
  const clock = { nowMs: 1_000_000 }
  const resolver: DnsResolver = {
    async lookup(name): Promise<DnsLookup> {
      asked.push(name)
      if (name === 'fails.example') throw new Error('no answer')
      return Promise.resolve({ addresses: ['192.0.2.1'], ttlMs })
    },
  }
  const randomBytes = (count: number): Uint8Array => new Uint8Array(count).fill(fuzz)
  return {
    accountant,
    cache: createDnsCache(
      { resolver, nowMs: () => clock.nowMs, randomBytes, accountant },
      limits.maxBytes,
    ),
    asked,
    clock,
  }
}

/** Minutes after which a name is asked again. */
async function lifetimeMinutes(ttlMs: number, fuzz: number): Promise<number> {
  const { cache, asked, clock } = fixture(ttlMs, fuzz)
  const view = cache.view('c1')
  await view.lookup('a.example', [4])
  const startMs = clock.nowMs
  while (asked.length === 1) {
    clock.nowMs += MINUTE_MS
    await view.lookup('a.example', [4])
  }
  return (clock.nowMs - startMs) / MINUTE_MS
}

test('keeps an answer between five minutes and an hour, four minutes more or less', async () => {
  assert.equal(await lifetimeMinutes(0, 0xff), 9)
  assert.equal(await lifetimeMinutes(0, 0), 1)
  assert.equal(await lifetimeMinutes(30 * MINUTE_MS, 0xff), 34)
  assert.equal(await lifetimeMinutes(7 * 24 * 60 * MINUTE_MS, 0xff), 64)
  assert.equal(await lifetimeMinutes(7 * 24 * 60 * MINUTE_MS, 0), 56)
})

test('shows the clipped TTL, never the age of an entry', async () => {
  const { cache, clock } = fixture(1000, 0xff)
  const view = cache.view('c1')
  const first = await view.lookup('a.example', [4])
  clock.nowMs += MINUTE_MS
  const second = await view.lookup('a.example', [4])
  assert.equal(first.ttlMs, 5 * MINUTE_MS)
  assert.deepEqual(second, first)
})

test("a circuit's lookups are never answered from another circuit's", async () => {
  const { cache, asked } = fixture(MINUTE_MS, 0xff)
  await cache.view('c1').lookup('a.example', [4])
  await cache.view('c2').lookup('a.example', [4])
  assert.equal(asked.length, 2)
  await cache.view('c1').lookup('a.example', [4])
  assert.equal(asked.length, 2)
})

test('families are remembered apart, failures not at all, and a forgotten circuit starts anew', async () => {
  const { cache, asked } = fixture(MINUTE_MS, 0xff)
  const view = cache.view('c1')
  await view.lookup('a.example', [4])
  await view.lookup('a.example', [4, 6])
  await view.lookup('a.example', [6, 4])
  assert.equal(asked.length, 2)
  await assert.rejects(view.lookup('fails.example', [4]))
  await assert.rejects(view.lookup('fails.example', [4]))
  assert.equal(asked.length, 4)
  cache.forget('c1')
  await view.lookup('a.example', [4])
  assert.equal(asked.length, 5)
})

test('a circuit remembers at most 256 names', async () => {
  const { cache, asked } = fixture(MINUTE_MS, 0xff)
  const view = cache.view('c1')
  for (let i = 0; i <= 256; i++) await view.lookup(`n${i}.example`, [4])
  await view.lookup('n256.example', [4])
  assert.equal(asked.length, 257)
  await view.lookup('n0.example', [4])
  assert.equal(asked.length, 258)
})

test('keeps no more bytes than it may: the oldest circuit forgets first, its oldest name first', async () => {
  const maxBytes = 10_000
  const { cache, asked, accountant } = fixture(MINUTE_MS, 0xff, { maxBytes })
  const views = Array.from({ length: 20 }, (_, index) => cache.view(`c${index}`))
  for (const view of views) {
    for (let i = 0; i < 256; i++) await view.lookup(`${'n'.repeat(200)}${i}.example`, [4])
    assert.ok(accountant.heldBytes <= maxBytes)
  }
  assert.ok(accountant.heldBytes > 0.9 * maxBytes, 'and not much less')
  const before = asked.length
  await views.at(-1)?.lookup(`${'n'.repeat(200)}255.example`, [4])
  assert.equal(asked.length, before, 'the last is still known')
  await views[0]?.lookup(`${'n'.repeat(200)}255.example`, [4])
  assert.equal(asked.length, before + 1)
})

test('counts what it keeps, gives it back, and is cut before anybody dies (THREAT-MODEL T14)', async () => {
  const { cache, accountant } = fixture(MINUTE_MS, 0xff, { accountBytes: 40_000 })
  for (let i = 0; i < 100; i++) await cache.view(`c${i % 4}`).lookup(`n${i}.example`, [4])
  const held = accountant.heldBytes
  assert.ok(held > 100 * 256 && held < 100 * 400, `${held}`)
  const other = accountant.open(undefined as never, () => 0)
  other.set(35_000)
  assert.deepEqual(accountant.chooseVictims(), [])
  assert.ok(accountant.heldBytes - 35_000 <= held / 10)
  other.close()
  for (let i = 0; i < 4; i++) cache.forget(`c${i}`)
  assert.equal(accountant.heldBytes, 0)
})

test('asking again replaces an entry, and counts it once', async () => {
  const { cache, accountant, clock } = fixture(MINUTE_MS, 0xff)
  const view = cache.view('c1')
  await view.lookup('a.example', [4])
  const held = accountant.heldBytes
  clock.nowMs += 60 * MINUTE_MS
  await view.lookup('a.example', [4])
  assert.equal(accountant.heldBytes, held)
})
