import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { VERSION } from '../src/version.ts'
import { byway, LAUNCHER } from './spawn-byway.ts'

test('prints its version, which is that of the package', async () => {
  const manifest = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as object
  assert.equal(VERSION, 'version' in manifest && manifest.version)
  assert.deepEqual(await byway(['--version']), { code: 0, out: `${VERSION}\n`, err: '' })
})

test('prints help with examples on stdout', async () => {
  for (const args of [['--help'], ['policy', 'check', '--help'], ['exit', 'enable', '-h']]) {
    const { code, out, err } = await byway(args)
    assert.deepEqual([code, err], [0, ''], args.join(' '))
    assert.match(out, /^Usage: byway/)
    assert.match(out, /Examples:\n {2}\$ byway /)
  }
})

const USAGE: readonly (readonly [what: string, args: readonly string[], says: RegExp])[] = [
  ['no command', [], /^byway: a command is missing$/m],
  ['a group alone', ['policy'], /^byway: a command is missing$/m],
  [
    'an unknown command, with a guess',
    ['polcy'],
    /^byway: unknown command 'polcy' \(Did you mean policy\?\)$/m,
  ],
  ['an unknown option', ['exit', 'disable', '--force'], /^byway: unknown option '--force'$/m],
  [
    'a missing argument',
    ['policy', 'check', 'a.example'],
    /^byway: missing required argument 'port'$/m,
  ],
  ['an argument too many', ['exit', 'disable', 'now'], /^byway: too many arguments/m],
]
for (const [what, args, says] of USAGE) {
  test(`ends with 64 for ${what}, with a line and a hint on stderr and nothing on stdout`, async () => {
    const { code, out, err } = await byway(args)
    assert.deepEqual([code, out], [64, ''])
    assert.match(err, says)
    assert.match(err, /^hint: run `byway --help`/m)
  })
}

test('prints an error as one JSON object under --json', async () => {
  const { code, out } = await byway(['policy', 'check', 'a.example', '--json'])
  assert.equal(code, 64)
  const { error } = JSON.parse(out) as { error: { code: string; kind: string; message: string } }
  assert.deepEqual([error.code, error.kind], ['CLI_USAGE', 'config'])
  assert.equal(out.trim().includes('\n'), false)
})

test('takes --json before the command as well as after it', async () => {
  const args = ['policy', 'check', '192.168.1.1', '80']
  const after = await byway([...args, '--json'])
  assert.deepEqual(await byway(['--json', ...args]), after)
  assert.equal(JSON.parse(after.out) instanceof Object, true)
})

test('runs when an older Node starts the launcher', async (t) => {
  // The launcher must parse on any Node that reads ES modules, hand over to the pinned one and pass arguments and exit code through.
  const version = oldNodeVersion()
  if (version === undefined) {
    t.diagnostic('no other Node on this machine: the launcher ran on this one')
  }
  const command = [version ?? process.execPath, LAUNCHER] as const
  const { code, out } = await byway(['policy', 'check', '10.0.0.1', '80', '--json'], {
    command: [...command],
  })
  assert.deepEqual([code, JSON.parse(out)], [0, { verdict: 'deny', reason: 'rfc1918' }])
})

/** Path of a Node outside the workspace, if there is one. */
function oldNodeVersion(): string | undefined {
  const path = (process.env['PATH'] ?? '')
    .split(':')
    .filter((part) => !part.includes('node_modules'))
  try {
    return execFileSync('/bin/sh', ['-c', 'command -v node'], {
      env: { PATH: path.join(':') },
      encoding: 'utf8',
    }).trim()
  } catch {
    return undefined
  }
}
