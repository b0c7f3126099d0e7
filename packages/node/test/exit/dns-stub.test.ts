/** The stub resolver against a server that lies, stalls and floods (SPEC §11). Times are short; nothing leaves the loopback. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createDnsStub, type DnsResolver, type DnsStubOptions } from '../../src/exit/dns-stub.ts'
import {
  a,
  A,
  aaaa,
  AAAA,
  cname,
  reply,
  type Script,
  startHostileDns,
  TRUNCATED,
} from './hostile-dns.ts'

/** For lookups that end by waiting. */
const QUICK: DnsStubOptions = { timeoutMs: 600, attemptTimeoutMs: 100 }
/** For lookups that end by a reply, on however busy a machine. */
const PATIENT: DnsStubOptions = { timeoutMs: 60_000, attemptTimeoutMs: 30_000 }

async function withServer(
  script: Script,
  run: (stub: DnsResolver, server: Awaited<ReturnType<typeof startHostileDns>>) => Promise<void>,
  options: DnsStubOptions = PATIENT,
): Promise<void> {
  await using server = await startHostileDns(script)
  await run(createDnsStub({ randomBytes, servers: () => [server] }, options), server)
}

async function addressesOf(
  stub: DnsResolver,
  families: readonly (4 | 6)[] = [4],
): Promise<readonly string[]> {
  const found = await stub.lookup('www.example', families)
  return found.addresses
}

test('asks recursively with EDNS 1232, a random id and a random port', async () => {
  await withServer(
    (query) => [reply(query, { answers: [a('www.example', '192.0.2.1')] })],
    async (stub, server) => {
      const found = await stub.lookup('www.example', [4])
      assert.deepEqual(found, { addresses: ['192.0.2.1'], ttlMs: 600_000 })
      for (let i = 0; i < 7; i++) await stub.lookup('www.example', [4])
      assert.equal(server.seen[0]?.ednsBytes, 1232)
      assert.equal(server.seen[0]?.bytes.readUInt16BE(2), 0x0100)
      assert.ok(new Set(server.seen.map((query) => query.id)).size > 4)
      assert.ok(new Set(server.seen.map((query) => query.sourcePort)).size > 4)
    },
  )
})

test('asks for AAAA only when IPv6 is wanted, and gives A before AAAA', async () => {
  const script: Script = (query) => [
    reply(query, {
      answers: [
        query.type === A
          ? a('www.example', '192.0.2.1', 60)
          : aaaa('www.example', [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 30),
      ],
    }),
  ]
  await withServer(script, async (stub, server) => {
    assert.deepEqual(await addressesOf(stub), ['192.0.2.1'])
    assert.ok(server.seen.every((query) => query.type === A))
    const both = await stub.lookup('www.example', [6, 4])
    assert.deepEqual(both, { addresses: ['192.0.2.1', '2001:db8::1'], ttlMs: 30_000 })
  })
})

test("one family's failure does not hide the other's addresses", async () => {
  const script: Script = (query) =>
    query.type === AAAA
      ? [reply(query, { rcode: 2 })]
      : [reply(query, { answers: [a('www.example', '192.0.2.1')] })]
  await withServer(script, async (stub) => {
    assert.deepEqual(await addressesOf(stub, [4, 6]), ['192.0.2.1'])
  })
})

const FORGERIES: readonly (readonly [string, Script])[] = [
  [
    'a wrong id',
    (query) => [reply(query, { id: query.id ^ 1, answers: [a('www.example', '127.0.0.1')] })],
  ],
  [
    'another question',
    (query) => [reply(query, { name: 'evil.example', answers: [a('www.example', '127.0.0.1')] })],
  ],
  [
    'another type asked',
    (query) => [reply(query, { qtype: AAAA, answers: [a('www.example', '127.0.0.1')] })],
  ],
  ['a query for a reply', (query) => [query.bytes]],
  [
    'another opcode',
    (query) => [reply(query, { flags: 0xa980, answers: [a('www.example', '127.0.0.1')] })],
  ],
  ['garbage', () => [randomBytes(200)]],
  ['an empty datagram', () => [new Uint8Array()]],
  [
    'a cut reply',
    (query) => [reply(query, { answers: [a('www.example', '127.0.0.1')] }).subarray(0, -3)],
  ],
]

for (const [what, forge] of FORGERIES) {
  test(`passes over ${what} and takes the true reply that comes after it`, async () => {
    const script: Script = (query) => [
      ...forge(query),
      reply(query, { answers: [a('www.example', '192.0.2.1')] }),
    ]
    await withServer(script, async (stub) => {
      assert.deepEqual(await addressesOf(stub), ['192.0.2.1'])
    })
  })

  test(`gives up when there is nothing but ${what}`, async () => {
    await withServer(
      forge,
      async (stub) => {
        await assert.rejects(addressesOf(stub), { code: 'NODE_EXIT_DNS_UNAVAILABLE' })
      },
      QUICK,
    )
  })
}

test('gives up on a flood of forgeries, with silence and with a server that is not there', async () => {
  const flood: Script = (query) =>
    Array.from({ length: 80 }, () => reply(query, { id: query.id ^ 1 }))
  await withServer(flood, async (stub) => {
    await assert.rejects(addressesOf(stub), {
      code: 'NODE_EXIT_DNS_UNAVAILABLE',
      context: { attempts: 2 },
    })
  })
  await withServer(
    () => [],
    async (stub, server) => {
      await assert.rejects(addressesOf(stub), { code: 'NODE_EXIT_DNS_UNAVAILABLE' })
      assert.ok(server.seen.length <= 2)
    },
    QUICK,
  )
  const gone = await startHostileDns(() => [])
  await gone[Symbol.asyncDispose]()
  const stub = createDnsStub({ randomBytes, servers: () => [gone] }, QUICK)
  await assert.rejects(addressesOf(stub), { code: 'NODE_EXIT_DNS_UNAVAILABLE' })
  const none = createDnsStub({ randomBytes, servers: () => [] }, QUICK)
  await assert.rejects(addressesOf(none), {
    code: 'NODE_EXIT_DNS_UNAVAILABLE',
    context: { attempts: 0 },
  })
})

test('the whole lookup ends at its deadline, however many servers stay silent', async () => {
  await withServer(
    () => [],
    async (stub) => {
      await assert.rejects(addressesOf(stub, [4, 6]), { code: 'NODE_EXIT_DNS_UNAVAILABLE' })
    },
    { timeoutMs: 50, attemptTimeoutMs: 60_000 },
  )
})

test("ends with the caller's reason when the caller gives up", async () => {
  await withServer(
    () => [],
    async (stub, server) => {
      const controller = new AbortController()
      const reason = new Error('the stream is gone')
      const lookup = stub.lookup('www.example', [4], controller.signal)
      controller.abort(reason)
      await assert.rejects(lookup, reason)
      await assert.rejects(stub.lookup('www.example', [4], controller.signal), reason)
      assert.ok(server.seen.length <= 1)
    },
    { timeoutMs: 60_000, attemptTimeoutMs: 60_000 },
  )
})

test('asks again over TCP when the reply was truncated, even in the middle of a record', async () => {
  for (const cutBytes of [0, 5]) {
    const script: Script = (query) => {
      const answers = [a('www.example', '192.0.2.1')]
      if (query.over === 'tcp') return [reply(query, { answers })]
      const cut = reply(query, { flags: TRUNCATED, answers })
      return [cut.subarray(0, cut.length - cutBytes)]
    }
    await withServer(script, async (stub, server) => {
      assert.deepEqual(await addressesOf(stub), ['192.0.2.1'])
      assert.deepEqual(
        server.seen.map((query) => query.over),
        ['udp', 'tcp'],
      )
    })
  }
})

test('a forged reply over TCP ends the exchange', async () => {
  const forged: readonly Script[] = [
    (query) => [reply(query, { id: query.id ^ 1 })],
    () => [new Uint8Array()],
    (query) => [reply(query), reply(query)],
  ]
  for (const forge of forged) {
    const script: Script = (query) =>
      query.over === 'udp' ? [reply(query, { flags: TRUNCATED })] : forge(query)
    await withServer(script, async (stub) => {
      await assert.rejects(addressesOf(stub), (error: { code: string }) =>
        error.code.startsWith('NODE_EXIT_'),
      )
    })
  }
})

test('follows aliases inside an answer and takes the least TTL', async () => {
  const script: Script = (query) => [
    reply(query, {
      answers: [
        a('c.example', '192.0.2.1', 900),
        cname('b.example', 'C.example', 30),
        cname('WWW.Example', 'b.example', 700),
      ],
    }),
  ]
  await withServer(script, async (stub) => {
    const found = await stub.lookup('www.example', [4])
    assert.deepEqual(found, { addresses: ['192.0.2.1'], ttlMs: 30_000 })
  })
})

test('asks for the target of an alias once, after judging it as a name', async () => {
  const next: Script = (query) => [
    query.name === 'www.example'
      ? reply(query, { answers: [cname('www.example', 'b.example')] })
      : reply(query, { answers: [a('b.example', '192.0.2.1')] }),
  ]
  await withServer(next, async (stub, server) => {
    assert.deepEqual(await addressesOf(stub), ['192.0.2.1'])
    assert.deepEqual(
      server.seen.map((query) => query.name),
      ['www.example', 'b.example'],
    )
  })
  const lan: Script = (query) => [
    reply(query, { answers: [cname('www.example', 'printer.local')] }),
  ]
  await withServer(lan, async (stub, server) => {
    await assert.rejects(addressesOf(stub), {
      code: 'NODE_EXIT_RESOLVE',
      context: { why: 'answer' },
    })
    assert.equal(server.seen.length, 1)
  })
})

test('refuses loops, chains above eight and a third answer with an alias', async () => {
  const chain =
    (links: number): Script =>
    (query) => [
      reply(query, {
        answers: [
          cname('www.example', 'n0.example'),
          ...Array.from({ length: links - 1 }, (_, i) =>
            cname(`n${i}.example`, `n${i + 1}.example`),
          ),
          a(`n${links - 1}.example`, '192.0.2.1'),
        ],
      }),
    ]
  await withServer(chain(8), async (stub) => {
    assert.deepEqual(await addressesOf(stub), ['192.0.2.1'])
  })
  const refused: readonly Script[] = [
    chain(9),
    (query) => [reply(query, { answers: [cname('www.example', 'www.example')] })],
    (query) => [
      reply(query, {
        answers: [cname('www.example', 'b.example'), cname('b.example', 'www.example')],
      }),
    ],
    (query) => [reply(query, { answers: [cname(query.name, `x.${query.name}`)] })],
  ]
  for (const script of refused) {
    await withServer(script, async (stub) => {
      await assert.rejects(addressesOf(stub), {
        code: 'NODE_EXIT_RESOLVE',
        context: { why: 'chain' },
      })
    })
  }
})

test("ignores another owner's records and other types", async () => {
  const script: Script = (query) => [
    reply(query, {
      answers: [
        a('evil.example', '127.0.0.1'),
        { name: 'www.example', type: 16, data: Buffer.from('\u0003abc') },
        aaaa('www.example', [0, 0, 0, 0, 0, 0, 0, 1]),
      ],
    }),
  ]
  await withServer(script, async (stub) => {
    await assert.rejects(addressesOf(stub), {
      code: 'NODE_EXIT_RESOLVE',
      context: { why: 'no-data' },
    })
  })
})

test('a name that does not exist and one without addresses are typed apart', async () => {
  await withServer(
    (query) => [reply(query, { rcode: 3 })],
    async (stub, server) => {
      await assert.rejects(addressesOf(stub), {
        code: 'NODE_EXIT_RESOLVE',
        context: { why: 'nxdomain' },
      })
      assert.equal(server.seen.length, 1)
    },
  )
  await withServer(
    (query) => [reply(query)],
    async (stub) => {
      await assert.rejects(addressesOf(stub), {
        code: 'NODE_EXIT_RESOLVE',
        context: { why: 'no-data' },
      })
    },
  )
})

test('asks the next server after a failure', async () => {
  await using broken = await startHostileDns((query) => [reply(query, { rcode: 2 })])
  await using good = await startHostileDns((query) => [
    reply(query, { answers: [a('www.example', '192.0.2.1')] }),
  ])
  const stub = createDnsStub({ randomBytes, servers: () => [broken, good] }, PATIENT)
  assert.deepEqual(await addressesOf(stub), ['192.0.2.1'])
})

test('asks without EDNS after every server failed with it', async () => {
  const old: Script = (query) =>
    query.ednsBytes === undefined
      ? [reply(query, { answers: [a('www.example', '192.0.2.1')] })]
      : [reply(query, { rcode: 1 })]
  await withServer(old, async (stub, server) => {
    assert.deepEqual(await addressesOf(stub), ['192.0.2.1'])
    assert.deepEqual(
      server.seen.map((query) => query.ednsBytes),
      [1232, undefined],
    )
  })
})

test('takes a large answer over TCP whole, and refuses one with too many addresses', async () => {
  const many =
    (count: number): Script =>
    (query) =>
      query.over === 'udp'
        ? [reply(query, { flags: TRUNCATED })]
        : [
            reply(query, {
              answers: Array.from({ length: count }, (_, i) =>
                a('www.example', `192.0.2.${i % 256}`),
              ),
            }),
          ]
  await withServer(many(64), async (stub) => {
    const addresses = await addressesOf(stub)
    assert.equal(addresses.length, 64)
  })
  await withServer(many(2000), async (stub) => {
    await assert.rejects(addressesOf(stub), {
      code: 'NODE_EXIT_RESOLVE',
      context: { why: 'chain' },
    })
  })
})

test('with random case only a reply in the same spelling counts', async () => {
  const options = { ...PATIENT, randomCase: true }
  const exact: Script = (query) => [
    reply(query, { name: query.name.toLowerCase(), answers: [a('www.example', '127.0.0.1')] }),
    reply(query, { answers: [a('www.example', '192.0.2.1')] }),
  ]
  let block = 0
  const alternating = (count: number): Uint8Array => new Uint8Array(count).fill(0x55 + block++)
  await using server = await startHostileDns(exact)
  const stub = createDnsStub({ randomBytes: alternating, servers: () => [server] }, options)
  assert.deepEqual(await addressesOf(stub), ['192.0.2.1'])
  assert.equal(server.seen[0]?.name, 'WwW.ExAmPlE')
})
