/** Bad disks and sudden ends (SECURITY R20–R25): what was acknowledged is there, and what cannot be done is said. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmod, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore, type Store, type StoreHealth } from '@byway/store'
import { copyStore } from './support/disk.ts'
import { makeImage, mountImage } from './support/image.ts'
import { bytes, KEY, openAt, opening, temporaryFolder, winner } from './support/records.ts'
import { skipWithout, skipWithoutTracer, unavailable } from './support/tools.ts'

const CHILD = fileURLToPath(new URL('support/store-child.ts', import.meta.url))
const MIB = 1024 * 1024
/** They wait for the disk most of the time. */
const KILLED_AT_ONCE = 4
const noTracer = skipWithoutTracer()
const noImages = skipWithout('mkfs.ext4')

type Ending = {
  readonly lines: readonly string[]
  readonly code: number | null
  readonly signal: string | null
}

/** Runs the child to its end, under a tracer that spoils system calls if there are rules. */
async function runChild(
  folder: string,
  count: number,
  rules: readonly string[] = [],
): Promise<Ending> {
  const node = [process.execPath, '--conditions=byway:source', CHILD, folder, String(count)]
  const traced = ['strace', '-f', '-qq', '-o', '/dev/null', ...rules, ...node]
  const [command = '', ...rest] = rules.length > 0 ? traced : node
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (some: string) => (text += some))
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (...ended) => resolve(ended)),
  )
  return { lines: text.split('\n').filter(Boolean), code, signal }
}

/** Winners that were acknowledged before the end. */
function acknowledged({ lines }: Ending): number {
  return lines.filter((line) => /^\d+$/.test(line)).length
}

/** Opens what is left and compares: everything acknowledged is there, whole, and what came with it. */
async function checkAfter(folder: string, count: number): Promise<void> {
  await using store = await openAt(folder)
  const { damagedRows, missingRows, isTailLost } = store.report
  assert.deepEqual(
    { damagedRows, missingRows, isTailLost },
    { damagedRows: 0, missingRows: 0, isTailLost: false },
  )
  const found = await store.winners.list(['received'])
  assert.ok(found.length >= count && found.length <= count + 1, `${found.length} of ${count}`)
  for (let number = 0; number < count; number++) {
    assert.deepEqual(found[number]?.reveal, winner(number).reveal)
    assert.equal((await store.openings.get(opening(number).nullifier))?.floor, 128)
  }
  const nonces = Array.from({ length: count }, (_, number) => bytes(`nonce ${number}`, 32))
  const spends = nonces.map((nonce) => store.spentTokens.spend(bytes('token key', 8), nonce))
  assert.ok((await Promise.all(spends)).every((given) => given === 'spent'))
}

test(
  'a kill at any fsync of the ticket path loses nothing that was acknowledged',
  { skip: noTracer },
  async () => {
    await using folder = await temporaryFolder()
    const killAt = async (at: number): Promise<boolean> => {
      const home = join(folder.path, `kill-${at}`)
      const rule = `inject=fsync:signal=SIGKILL:when=${at}`
      const ending = await runChild(home, 4, ['-e', 'trace=fsync', '-e', rule])
      const isOver = ending.lines.includes('closed')
      const isKilled = ending.signal === 'SIGKILL' || ending.code === 137
      assert.ok(isOver || isKilled, JSON.stringify(ending))
      await checkAfter(home, acknowledged(ending))
      return isOver
    }
    // Each run gets one fsync further than the one before; the first fsyncs make the store.
    let at = 1
    for (let isOver = false; !isOver; at += KILLED_AT_ONCE) {
      const next = Array.from({ length: KILLED_AT_ONCE }, (_, more) => killAt(at + more))
      isOver = (await Promise.all(next)).includes(true)
    }
    assert.ok(at > 20)
  },
)

test(
  'a failed fsync ends the store at once, without a second try',
  { skip: noTracer },
  async () => {
    await using folder = await temporaryFolder()
    const rules = ['-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO:when=24+']
    const ending = await runChild(folder.path, 20, rules)
    assert.equal(ending.code, 74)
    assert.deepEqual(ending.lines.slice(-2).toSorted(), ['STORE_FAILED', 'health failed'])
    assert.ok(acknowledged(ending) < 20)
  },
)

const big = (number: number) => ({ ...opening(number), opening: bytes(`big ${number}`, 2000) })

/** The store looks at its disk again by itself; the runner's limit ends a wait without end. */
async function untilOk(store: Store): Promise<void> {
  while (store.health !== 'ok') await new Promise((resolve) => setTimeout(resolve, 50))
}

/** Takes what room is left on a disk. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    for (const size of [64 * 1024, 512]) {
      for (let isFull = false; !isFull;) {
        const written = await file.write(Buffer.alloc(size, 1)).catch(() => undefined)
        isFull = written === undefined || written.bytesWritten < size
      }
      await file.sync().catch(() => {})
    }
  } finally {
    await file.close()
  }
}

test('a disk without room is told as full, and goes on when there is room', async () => {
  await using folder = await temporaryFolder()
  const told: StoreHealth[] = []
  await using store = await openAt(folder.path, {
    maxBytes: 2 * MIB,
    onHealth: (health) => told.push(health),
  })
  await assert.rejects(
    async () => {
      for (let number = 0; ; number++) await store.openings.remember(big(number))
    },
    { code: 'STORE_FULL' },
  )
  assert.deepEqual([store.health, told], ['full', ['full']])
  // What is under way still fits, into space that was kept free.
  for (let number = 0; number < 50; number++)
    assert.equal(await store.winners.add(winner(number)), 'new')
  await assert.rejects(store.openings.remember(big(9999)), { code: 'STORE_FULL' })
  assert.ok((await store.openings.forgetBefore(Number.MAX_SAFE_INTEGER)) > 100)
  await untilOk(store)
  assert.equal(await store.openings.remember(big(1)), 'new')
  assert.equal((await store.winners.list(['received'])).length, 50)
})

test(
  'a disk of 8 MB that others fill: wins still fit into the reserve, and it goes on when they make room',
  { skip: noImages },
  async (t) => {
    await using folder = await temporaryFolder()
    const image = join(folder.path, 'disk.img')
    const place = join(folder.path, 'disk')
    assert.ok(await makeImage(image, 8 * MIB))
    using disk = await mountImage(image, place)
    if (!disk) return t.skip(unavailable('images cannot be mounted here'))
    const home = join(place, 'home')
    const told: StoreHealth[] = []
    let wins = 0
    {
      await using store = await openAt(home, { onHealth: (health) => told.push(health) })
      for (let round = 0; round < 2; round++) {
        await fill(join(place, 'filler'))
        await assert.rejects(
          async () => {
            for (let number = 1000 * round; ; number++) await store.openings.remember(big(number))
          },
          { code: 'STORE_FULL' },
        )
        assert.equal(store.health, 'full')
        assert.ok(!(await readdir(home)).includes('node.reserve'), 'the reserve was given up')
        for (let more = 0; more < 50; more++, wins++)
          assert.equal(await store.winners.add(winner(wins)), 'new')
        await rm(join(place, 'filler'))
        await untilOk(store)
        assert.ok((await readdir(home)).includes('node.reserve'), 'and is taken back')
        assert.equal(await store.openings.remember(big(1000 * round + 999)), 'new')
      }
    }
    assert.deepEqual(told, ['full', 'ok', 'full', 'ok'])
    await using again = await openAt(home)
    assert.equal((await again.winners.list(['received'])).length, wins)
    assert.deepEqual([again.report.damagedRows, again.report.missingRows], [0, 0])
  },
)

test('a second process and a second store of the same process are refused', async () => {
  await using folder = await temporaryFolder()
  {
    await using store = await openAt(folder.path)
    await store.winners.add(winner(0))
    await assert.rejects(openAt(folder.path), { code: 'STORE_LOCKED' })
    assert.deepEqual((await runChild(folder.path, 1)).lines, ['STORE_LOCKED'])
    // A lock file by itself means nothing; another name is another store.
    await using other = await openAt(folder.path, { name: 'client' })
    assert.equal(other.report.isNew, true)
  }
  assert.deepEqual((await runChild(folder.path, 1)).lines, ['open', '0', 'closed'])
})

test('a store that was killed can be opened at once, again and again, and leaves no files behind', async () => {
  await using folder = await temporaryFolder()
  const files: string[][] = []
  for (let round = 0; round < 3; round++) {
    const node = [process.execPath, '--conditions=byway:source', CHILD, folder.path, '1000000']
    const child = spawn(node[0] ?? '', node.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const chunk of child.stdout) if (String(chunk).includes('\n')) break
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    await using store = await openAt(folder.path)
    assert.equal(store.report.isNew, false)
    assert.deepEqual(store.report.sideFiles, [])
    files.push((await readdir(folder.path)).toSorted())
  }
  assert.deepEqual(files[2], files[0])
})

test('keeps no more than four copies of damaged files, however often it is damaged', async () => {
  await using folder = await temporaryFolder()
  for (let round = 0; round < 6; round++) {
    {
      await using store = await openAt(folder.path)
      await store.winners.add(winner(round))
    }
    await writeFile(join(folder.path, 'node.db'), 'not a database')
  }
  await using store = await openAt(folder.path)
  assert.equal(store.report.sideFiles.length, 1)
  const copies = (await readdir(folder.path)).filter((name) => name.includes('damaged'))
  assert.equal(copies.length, 4)
})

test('says what is wrong with a folder that cannot be used', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'file')
  await writeFile(file, '')
  const openIn = (path: string) => openStore({ folder: path, name: 'node', key: KEY })
  await assert.rejects(openIn(join(file, 'home')), {
    code: 'STORE_UNUSABLE',
    context: { errno: 'ENOTDIR' },
  })
})

test(
  'refuses a read-only folder, and the store in it is unharmed',
  { skip: process.getuid?.() === 0 ? 'root may write anywhere' : false },
  async () => {
    await using folder = await temporaryFolder()
    const home = join(folder.path, 'home')
    await mkdir(home)
    await chmod(home, 0o500)
    await assert.rejects(openAt(home), { code: 'STORE_UNUSABLE' })
    await chmod(home, 0o700)
  },
)

test('what a power cut leaves at any moment holds all that was acknowledged before it', async () => {
  await using folder = await temporaryFolder()
  const live = join(folder.path, 'live')
  const store = await openAt(live)
  for (let number = 0; number < 12; number++) {
    const writing = Promise.all([
      store.openings.remember(opening(number)),
      store.winners.add(winner(number)),
    ])
    const copy = join(folder.path, `cut-${number}`)
    // A copy in the middle of a write, as a disk is that lost its power: files as of slightly different moments.
    await copyStore(live, copy)
    await writing
    await using cut = await openAt(copy)
    const found = (await cut.winners.list(['received'])).length
    assert.ok(found === number || found === number + 1, `${found} of ${number}`)
    assert.equal(cut.report.damagedRows + cut.report.missingRows, 0)
    await rm(copy, { recursive: true })
  }
  await store[Symbol.asyncDispose]()
})
