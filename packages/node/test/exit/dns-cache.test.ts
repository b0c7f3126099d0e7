import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDnsCache, type DnsCache } from '../../src/exit/dns-cache.ts'
import type { DnsLookup, DnsResolver } from '../../src/exit/dns-stub.ts'

const MINUTE_MS = 60_000

function fixture(
  ttlMs: number,
  fuzz: number,
): { cache: DnsCache; asked: string[]; clock: { nowMs: number } } {
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
    cache: createDnsCache({ resolver, nowMs: () => clock.nowMs, randomBytes }),
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
