import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BywayError, type ErrorKind } from '@byway/protocol/base'
import { exitCodeOf } from '../src/exit-codes.ts'
import type { CliIo } from '../src/io.ts'
import { createOutput } from '../src/output.ts'

function record(isJson: boolean): {
  out: string[]
  err: string[]
  output: ReturnType<typeof createOutput>
} {
  const out: string[] = []
  const err: string[] = []
  const io: CliIo = {
    env: {},
    isInteractive: false,
    signal: new AbortController().signal,
    nowMs: () => 0,
    writeOut: (text) => out.push(text),
    writeErr: (text) => err.push(text),
    ask: () => Promise.reject(new Error('nobody is there')),
    askHidden: () => Promise.reject(new Error('nobody is there')),
  }
  return { out, err, output: createOutput(io, isJson) }
}

test('gives the text to people and the object to scripts, never both', () => {
  const people = record(false)
  people.output.result({ a: 1 }, 'one')
  assert.deepEqual([people.out, people.err], [['one\n'], []])
  const scripts = record(true)
  scripts.output.result({ a: 1 }, 'one')
  assert.deepEqual([scripts.out, scripts.err], [['{"a":1}\n'], []])
})

const CODES: readonly (readonly [ErrorKind, number])[] = [
  ['bug', 70],
  ['config', 78],
  ['local', 74],
  ['network', 69],
  ['peer', 76],
  ['exit', 69],
  ['payment', 77],
  ['chain', 69],
]
for (const [kind, code] of CODES) {
  test(`ends with ${code} for an error of kind ${kind}`, () => {
    assert.equal(exitCodeOf(new BywayError('SOME_CODE', kind, 'text', {})), code)
  })
}

test('ends with 74 for an error of the system and with 70 for anything else', () => {
  assert.equal(exitCodeOf(Object.assign(new Error('x'), { code: 'ENOSPC', syscall: 'write' })), 74)
  for (const thrown of [new TypeError('x'), 'text', undefined, { code: 'EFAKE' }])
    assert.equal(exitCodeOf(thrown), 70)
})

test('says what a contract refuses with, and what is wrong with an amount', () => {
  for (const [code, field] of [
    ['CHAIN_REVERTED', 'reason'],
    ['WALLET_AMOUNT', 'problem'],
    ['PURSE_VOUCHER', 'problem'],
  ] as const) {
    const { err, output } = record(false)
    output.fail(new BywayError(code, 'config', 'not so', { [field]: 'ThisWay' }))
    assert.equal(err[0], 'byway: not so: ThisWay\n')
  }
  const { err, output } = record(false)
  output.fail(new BywayError('SOME_CODE', 'config', 'not so', { problem: 'ThisWay' }))
  assert.equal(err[0], 'byway: not so\n')
})

test('shows nothing of what a foreign error says, since it may hold a destination', () => {
  const system = Object.assign(new Error('connect ECONNREFUSED canary.example:443'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  })
  for (const error of [system, new TypeError('Invalid URL: canary.example'), 'canary.example']) {
    const { out, err, output } = record(true)
    output.fail(error)
    assert.doesNotMatch([...out, ...err].join(''), /canary/)
    assert.equal(out.length, 1)
  }
})
