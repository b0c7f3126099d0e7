import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { LINK_MESSAGE } from '@byway/protocol/wire'
import { systemRuntime } from '@byway/net'
import { Recorder } from './support/handlers.ts'
import { testNode } from './support/identities.ts'
import { closed, openTls, readBytes, rightToken, upgrade } from './support/raw-client.ts'
import { listening } from './support/tls-pair.ts'

const limit = { timeout: 60_000 }
const PAGE = 'It works!'

test(
  'SPEC §3.2: a scanner gets an ordinary page on every path, and no byte of ours',
  limit,
  async () => {
    await using side = await listening()
    for (const request of [
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'GET /robots.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
    ]) {
      const socket = await openTls(side.port)
      socket.write(request)
      const answer = (await readBytes(socket, Infinity)).toString('latin1')
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
      assert.ok(answer.includes(PAGE))
      assert.doesNotMatch(answer, /byway|node/i)
    }
    assert.equal(side.links.length, 0)
  },
)

test(
  'SPEC §3.2: a wrong token gets the page that a scanner gets, header for header',
  limit,
  async () => {
    await using side = await listening()
    const answers: string[] = []
    for (const request of [
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      upgrade('A'.repeat(43)).replace('Upgrade\r\n', 'Upgrade, close\r\n'),
      upgrade('').replace('Upgrade\r\n', 'Upgrade, close\r\n'),
      upgrade('x'.repeat(2000)).replace('Upgrade\r\n', 'Upgrade, close\r\n'),
    ]) {
      const socket = await openTls(side.port)
      socket.write(request)
      const answer = (await readBytes(socket, Infinity)).toString('latin1')
      answers.push(answer.replace(/Date: .*\r\n/, ''))
    }
    assert.equal(new Set(answers).size, 1, answers.join('\n---\n'))
    assert.ok(answers[0]?.includes(PAGE))
  },
)

test('SPEC §3.2: the right token with another method gets no link', limit, async () => {
  await using side = await listening()
  const socket = await openTls(side.port)
  socket.write(upgrade(rightToken(socket, side.node.nodeId), 'POST'))
  const answer = (await readBytes(socket, 12)).toString('latin1')
  assert.match(answer, /^HTTP\/1\.1 405/)
  socket.destroy()
})

test('SPEC §3.2: the token of another node gets the page', limit, async () => {
  await using side = await listening()
  const socket = await openTls(side.port)
  socket.write(upgrade(rightToken(socket, testNode(2).nodeId)))
  assert.match((await readBytes(socket, 12)).toString('latin1'), /^HTTP\/1\.1 200/)
  socket.destroy()
})

test('SPEC §3.2: a token heard on one connection is worth nothing on another', limit, async () => {
  await using side = await listening()
  const first = await openTls(side.port)
  const token = rightToken(first, side.node.nodeId)
  const second = await openTls(side.port)
  second.write(upgrade(token))
  assert.match((await readBytes(second, 12)).toString('latin1'), /^HTTP\/1\.1 200/)
  first.write(upgrade(token))
  assert.match((await readBytes(first, 12)).toString('latin1'), /^HTTP\/1\.1 101/)
  first.destroy()
  second.destroy()
})

test(
  'SPEC §3.1: the hybrid group is negotiated, TLS 1.2 is not, and a session cannot be resumed',
  limit,
  async () => {
    await using side = await listening()
    let session: Buffer | undefined
    const socket = connectTls({ host: '127.0.0.1', port: side.port, rejectUnauthorized: false })
    socket.on('session', (ticket: Buffer) => (session = ticket))
    await once(socket, 'secureConnect')
    assert.deepEqual(
      (socket.getEphemeralKeyInfo() as { name?: string }).name,
      'X25519MLKEM768',
      JSON.stringify(socket.getEphemeralKeyInfo()),
    )
    assert.equal(socket.getProtocol(), 'TLSv1.3')
    assert.equal(socket.getCipher().standardName, 'TLS_AES_128_GCM_SHA256')
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await readBytes(socket, Infinity)
    const again = connectTls({
      host: '127.0.0.1',
      port: side.port,
      rejectUnauthorized: false,
      ...(session ? { session } : {}),
    })
    await once(again, 'secureConnect')
    assert.equal(again.isSessionReused(), false)
    again.destroy()

    const old = connectTls({ host: '127.0.0.1', port: side.port, maxVersion: 'TLSv1.2' })
    const [error] = (await once(old, 'error')) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  },
)

test(
  'the certificate looks like a home server made it and says nothing of the node',
  limit,
  async () => {
    await using side = await listening()
    const socket = await openTls(side.port)
    const certificate = new X509Certificate(socket.getPeerCertificate(true).raw)
    assert.equal(certificate.subject, 'CN=localhost')
    assert.equal(certificate.issuer, 'CN=localhost')
    assert.ok(certificate.verify(certificate.publicKey))
    assert.ok(certificate.ca)
    assert.ok(new Date(certificate.validFrom).getTime() < Date.now() - 86_400_000)
    assert.equal(certificate.raw.includes(Buffer.from(side.node.nodeId)), false)
    socket.destroy()
  },
)

test(
  'SPEC §3.3: a right token and then silence is closed 5 s after the accept, by the clock',
  limit,
  async () => {
    let fire: (() => void) | undefined
    let delay = 0
    const runtime = {
      ...systemRuntime,
      setTimer: (run: () => void, delayMs: number) => {
        fire = run
        delay = delayMs
        return { cancel: () => {} }
      },
    }
    await using side = await listening(() => {}, {}, runtime)
    const socket = await openTls(side.port)
    socket.write(upgrade(rightToken(socket, side.node.nodeId)))
    await readBytes(socket, 12)
    assert.ok(delay > 3000 && delay <= 5000, `${delay} ms`)
    fire?.()
    await closed(socket)
    assert.equal(side.listener.stats.failedGreetings, 1)
    assert.equal(side.listener.stats.halfOpen, 0)
  },
)

test(
  'SPEC §3.3: greetings of a wrong version, a wrong role or a false proof are closed',
  limit,
  async () => {
    await using side = await listening()
    const falseProof = Buffer.alloc(210, 7)
    falseProof.set([1, 1])
    for (const greeting of [Buffer.from([2, 0]), Buffer.from([1, 9]), falseProof]) {
      const socket = await openTls(side.port)
      socket.write(upgrade(rightToken(socket, side.node.nodeId)))
      await readBytes(socket, 200)
      socket.write(greeting)
      await closed(socket)
    }
    assert.equal(side.listener.stats.failedGreetings, 3)
    assert.equal(side.links.length, 0)
  },
)

test('a greeting that comes byte by byte makes a link', limit, async () => {
  await using side = await listening()
  const socket = await openTls(side.port)
  for (const byte of Buffer.from(upgrade(rightToken(socket, side.node.nodeId)), 'latin1'))
    socket.write(Buffer.of(byte))
  await readBytes(socket, 200)
  const link = side.nextLink()
  socket.write(Buffer.of(1))
  socket.write(Buffer.of(0))
  assert.equal((await link).peer.role, 'client')
  socket.destroy()
})

test('SPEC §4.4: the dialler learns the address at which the listener sees it', limit, async () => {
  await using side = await listening((link) => void new Recorder(link))
  const recorder = new Recorder(await side.dial())
  await recorder.until(({ messages }) => messages.length > 0)
  const [info] = recorder.messages
  assert.ok(info?.type === LINK_MESSAGE.NETINFO)
  assert.deepEqual(info.address, { family: 4, bytes: Uint8Array.of(127, 0, 0, 1) })
})

test(
  'connections beyond the limit of half-open ones of one address are refused before TLS',
  limit,
  async () => {
    await using side = await listening(() => {}, { limits: { halfOpenPerAddress: 3 } })
    const open = await Promise.all([1, 2, 3].map(() => openTls(side.port)))
    const fourth = connectTcp(side.port, '127.0.0.1').on('error', () => {})
    fourth.resume()
    await once(fourth, 'close')
    assert.equal(side.listener.stats.refused['half-open'], 1)
    for (const socket of open) socket.destroy()
  },
)

test('when all half-open places are taken, the oldest makes room', limit, async () => {
  await using side = await listening(() => {}, { limits: { halfOpen: 2 } })
  const first = await openTls(side.port)
  const second = await openTls(side.port)
  const link = await side.dial()
  await closed(first)
  assert.equal(second.closed, false)
  assert.equal(link.isClosed, false)
  assert.equal(side.listener.stats.refused.full, 1)
  second.destroy()
})

test(
  'links beyond the limit of one address are refused, and a closed one makes room',
  limit,
  async () => {
    await using side = await listening((link) => void new Recorder(link), {
      limits: { linksPerAddress: 2 },
    })
    const accepted = side.nextLink()
    const first = await side.dial()
    const other = await accepted
    await side.dial()
    await assert.rejects(side.dial(), { code: 'NET_CONNECT' })
    const gone = new Recorder(other)
    void new Recorder(first)
    first.close('local')
    await gone.until(({ closed: reasons }) => reasons.length > 0)
    while (side.listener.stats.links > 1) await new Promise((resolve) => setImmediate(resolve))
    await side.dial()
  },
)

test('an address that connects too often stays out', limit, async () => {
  await using side = await listening(() => {}, { limits: { connectBurst: 3, connectsPerS: 0 } })
  for (let i = 0; i < 3; i++) (await openTls(side.port)).destroy()
  await assert.rejects(side.dial(), { code: 'NET_CONNECT' })
  await assert.rejects(side.dial(), { code: 'NET_CONNECT' })
  assert.equal(side.listener.stats.refused.rate, 1)
  assert.equal(side.listener.stats.refused.penalty, 1)
})

test('a port that is taken is an error of kind local', limit, async () => {
  await using side = await listening()
  await assert.rejects(
    listening(() => {}, { port: side.port }),
    {
      code: 'NET_LISTEN',
      kind: 'local',
    },
  )
})
