/** `byway policy check` against the same corpus as the policy itself, and with bad input. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { DnsResolver } from '../../src/exit/dns-stub.ts'
import { runPolicyCheck } from '../../src/exit/policy-check.ts'

type Case = {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly answers?: readonly (string | readonly string[])[]
  readonly profile?: string
  readonly ctx?: unknown
  readonly verdict: string
  readonly reason: string
  readonly pin?: string
}

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'byway-policy-'))
})
after(async () => {
  await rm(folder, { recursive: true })
})

async function file(text: string): Promise<string> {
  const path = join(folder, 'context.json')
  await writeFile(path, text)
  return path
}

test('gives the verdict, reason and pin of every case of the corpus', async () => {
  const url = new URL('../../../../vectors/exit-policy.json', import.meta.url)
  const cases = JSON.parse(readFileSync(url, 'utf8')) as readonly Case[]
  for (const entry of cases) {
    const [first] = entry.answers ?? []
    const answers = (Array.isArray(first) ? first : entry.answers) as readonly string[] | undefined
    const result = await runPolicyCheck({
      host: entry.host,
      port: String(entry.port),
      answers: answers?.join(','),
      profile: entry.profile,
      context: entry.ctx === undefined ? undefined : await file(JSON.stringify(entry.ctx)),
    })
    assert.equal(`${result.verdict} ${result.reason}`, `${entry.verdict} ${entry.reason}`, entry.id)
    assert.equal('pin' in result, result.verdict === 'allow', entry.id)
    if (entry.pin !== undefined) assert.equal('pin' in result && result.pin, entry.pin)
  }
})

function resolver(answers: readonly string[] | Error): DnsResolver & { readonly asked: unknown[] } {
  const asked: unknown[] = []
  return {
    asked,
    async lookup(name, families) {
      asked.push([name, families])
      if (answers instanceof Error) throw answers
      return Promise.resolve({ addresses: answers, ttlMs: 0 })
    },
  }
}

test('without answers a name is looked up once, and only if it may be', async () => {
  const dns = resolver(['93.184.216.34'])
  const check = async (host: string, port: string): Promise<unknown> =>
    runPolicyCheck({ host, port, resolver: dns })
  assert.deepEqual(await check('www.Example.com.', '443'), {
    verdict: 'allow',
    reason: 'ok',
    pin: '93.184.216.34',
  })
  assert.deepEqual(await check('www.example.com', '22'), { verdict: 'deny', reason: 'port' })
  assert.deepEqual(await check('router', '443'), { verdict: 'deny', reason: 'single-label' })
  assert.deepEqual(await check('1.1.1.1', '443'), {
    verdict: 'allow',
    reason: 'ok',
    pin: '1.1.1.1',
  })
  assert.deepEqual(dns.asked, [['www.example.com', [4, 6]]])
})

test('a context without IPv6 asks for A only, and a failed lookup is a denial', async () => {
  const dns = resolver(new Error('no such name'))
  const context = await file('{"ipv6": false}')
  const result = await runPolicyCheck({ host: 'a.example', port: 443, resolver: dns, context })
  assert.deepEqual(result, { verdict: 'deny', reason: 'lookup-failed' })
  assert.deepEqual(dns.asked, [['a.example', [4]]])
})

test('empty answers are no answer, and an odd port is no port', async () => {
  const check = async (port: string, answers?: string): Promise<string> =>
    (await runPolicyCheck({ host: 'a.example', port, answers })).reason
  assert.equal(await check('443', ''), 'no-answer')
  assert.equal(await check('443', ' 1.1.1.1 , 10.0.0.1 '), 'rfc1918')
  for (const port of ['0', '65536', '-1', '443x', '0x1bb', '4.4', '']) {
    assert.equal(await check(port, '1.1.1.1'), 'port-invalid', port)
  }
})

test('an unknown profile or a bad context file is refused with a hint', async () => {
  const ask = (more: object): Promise<unknown> =>
    runPolicyCheck({ host: '1.1.1.1', port: 443, ...more })
  const refused = async (more: object, field: string): Promise<void> => {
    await assert.rejects(
      ask(more),
      (error: { code: string; kind: string; context: { field: string; hint: string } }) => {
        assert.equal(error.code, 'NODE_EXIT_CHECK_INPUT')
        assert.equal(error.kind, 'config')
        assert.equal(error.context.field, field)
        return error.context.hint.length > 0
      },
    )
  }
  await refused({ profile: 'open' }, 'profile')
  await refused({ context: join(folder, 'absent.json') }, 'context')
  await refused({ context: await file('{') }, 'context')
  await refused({ context: await file('{"self":{"gateways":["x"]}}') }, 'context.self.gateways[0]')
})
