/**
 * Programs that people use, through a network of real processes:
 *
 *   curl, git, Chromium ─► proxy ─► client ═► guard ═► relay ═► exit ─► origin on the loopback
 */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { listenAsTarget } from '@byway/testnet'
import { startByway, type RunningByway } from '../packages/cli/test/running-byway.ts'
import { answerGit } from './lib/git-origin.ts'

const run = promisify(execFile)
/** A browser's first start on a busy machine. */
const LIMIT_MS = 120_000
const CHROMIUM_FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Chromium goes past every proxy for the loopback unless told not to.
  '--proxy-bypass-list=<-loopback>',
]

const PAGE = `<!doctype html><title>before</title><body>
<img id="picture" src="/picture.svg"><script src="/script.js"></script></body>`
const PICTURE =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30"/></svg>'
const SCRIPT = `addEventListener('load', async () => {
  const answer = await (await fetch('/answer', { method: 'POST', body: 'question' })).text()
  document.body.append(' answer=' + answer + ' width=' + document.getElementById('picture').naturalWidth)
})`

function missing(program: string): string | undefined {
  if (spawnSync(program, ['--version']).status === 0) return undefined
  const why = `${program} is not installed`
  process.stderr.write(`SKIPPED ${program} through the network: ${why}\n`)
  return why
}

suite('programs through the network', () => {
  let folder: string
  let server: Server
  let running: RunningByway
  let proxyPort: number
  let origin: string
  const asked: string[] = []

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'byway-e2e-'))
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      const send = (type: string, body: string): void => {
        response.writeHead(200, { 'content-type': type }).end(body)
      }
      if (request.url?.startsWith('/repository.git/')) answerGit(folder, request, response)
      else if (request.url === '/page') send('text/html', PAGE)
      else if (request.url === '/picture.svg') send('image/svg+xml', PICTURE)
      else if (request.url === '/script.js') send('text/javascript', SCRIPT)
      else if (request.url === '/answer') send('text/plain', 'forty-two')
      else response.writeHead(404).end()
    })
    const target = `127.0.0.1:${await listenAsTarget(server)}`
    origin = `http://${target}`
    running = startByway(['testnet', '--json', '--hops', '3', '--allow-target', target])
    const { proxy } = await running.event('ready')
    proxyPort = Number(/:(\d+)$/.exec(proxy as string)?.[1])
  })
  after(async () => {
    await running.stop()
    server.close()
    server.closeAllConnections()
    await rm(folder, { recursive: true, maxRetries: 5 })
  })

  test(
    'Chromium shows a page with a picture and a script, all of it through the proxy',
    { skip: missing('chromium') ?? false },
    async () => {
      const { stdout } = await run(
        'chromium',
        [
          ...CHROMIUM_FLAGS,
          `--proxy-server=socks5://127.0.0.1:${proxyPort}`,
          `--user-data-dir=${join(folder, 'profile')}`,
          '--virtual-time-budget=10000',
          '--dump-dom',
          `${origin}/page`,
        ],
        { timeout: LIMIT_MS },
      )
      assert.match(stdout, /answer=forty-two width=40/)
      for (const wanted of ['GET /page', 'GET /picture.svg', 'POST /answer']) {
        assert.ok(asked.includes(wanted), wanted)
      }
    },
  )

  test('git clones a repository through the proxy', { skip: missing('git') ?? false }, async () => {
    const [source, clone] = [join(folder, 'source'), join(folder, 'clone')]
    const git = (...args: string[]) => run('git', args, { timeout: LIMIT_MS })
    const content = 'a line\n'.repeat(50_000)
    await git('init', '-q', source)
    await writeFile(join(source, 'big'), content)
    const as = ['-C', source, '-c', 'user.name=x', '-c', 'user.email=x@example.com']
    await git(...as, 'add', '.')
    await git(...as, 'commit', '-q', '-m', 'one')
    await git('clone', '-q', '--bare', source, join(folder, 'repository.git'))
    const proxy = `http.proxy=socks5h://127.0.0.1:${proxyPort}`
    await git('-c', proxy, 'clone', '-q', `${origin}/repository.git`, clone)
    assert.equal(await readFile(join(clone, 'big'), 'utf8'), content)
    assert.ok(asked.some((line) => line.startsWith('POST /repository.git/git-upload-pack')))
  })
})
