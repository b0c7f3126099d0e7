/** Several files get new bytes together, wherever it stops. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { isHalfReplaced, replaceFiles, resume, revert } from '../tools/replace-files.ts'

const NAMES = ['a', 'b', 'c']
const next = new Map(NAMES.map((name) => [name, Buffer.from(`new ${name}`)]))
let folder = ''
const at = (name: string): string => join(folder, name)
const texts = (): readonly string[] => NAMES.map((name) => readFileSync(at(name), 'utf8'))
const OLD = ['old a', 'old b', 'old c']
const NEW = ['new a', 'new b', 'new c']

describe('replacing files', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'byway-replace-'))
    mkdirSync(at('zk-programs'))
    for (const name of NAMES) writeFileSync(at(name), `old ${name}`)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('tells what it replaced, leaves what is the same, and goes back and forth', () => {
    const two = replaceFiles(folder, new Map([...next, ['b', Buffer.from('old b')]]))
    assert.deepEqual(
      two.map(({ path }) => path),
      ['a', 'c'],
    )
    assert.deepEqual(texts(), ['new a', 'old b', 'new c'])
    revert(folder)
    assert.deepEqual(texts(), OLD)
    revert(folder)
    assert.deepEqual(texts(), ['new a', 'old b', 'new c'])
  })

  it('changes nothing when a file is not there', () => {
    assert.throws(() => replaceFiles(folder, new Map([...next, ['d', Buffer.from('x')]])), {
      code: 'ENOENT',
    })
    assert.deepEqual(texts(), OLD)
    assert.equal(isHalfReplaced(folder), false)
    replaceFiles(folder, next)
    assert.deepEqual(texts(), NEW)
  })

  it('is ended by whoever comes next when it stopped half way, and does nothing else before', () => {
    // Where the second file's bytes would be put together.
    mkdirSync(at('b.part'))
    assert.throws(() => replaceFiles(folder, next), { code: 'EISDIR' })
    assert.deepEqual(texts(), ['new a', 'old b', 'old c'])
    assert.equal(isHalfReplaced(folder), true)
    assert.throws(() => replaceFiles(folder, next), /resume/)
    assert.throws(() => revert(folder), /resume/)
    rmSync(at('b.part'), { recursive: true })
    assert.deepEqual(
      resume(folder).map(({ path }) => path),
      NAMES,
    )
    assert.deepEqual(texts(), NEW)
    assert.deepEqual(resume(folder), [])
    revert(folder)
    assert.deepEqual(texts(), OLD)
  })

  it('goes back over nothing that has changed since', () => {
    assert.throws(() => revert(folder), /nothing was replaced/)
    replaceFiles(folder, next)
    writeFileSync(at('c'), 'mine')
    assert.throws(() => revert(folder), /c has changed since/)
    assert.deepEqual(texts(), ['new a', 'new b', 'mine'])
  })
})
