import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '../src/logger.ts'

function record(level?: 'trace' | 'info'): {
  lines: string[]
  log: ReturnType<typeof createLogger>
} {
  const lines: string[] = []
  const log = createLogger({ level, destination: { write: (line) => lines.push(line) } })
  return { lines, log }
}

test('writes one JSON object with level, time, message and fields', () => {
  const { lines, log } = record()
  log.info('circuit ready', { hops: 3, role: 'exit' })
  const [line = ''] = lines
  const { time, ...rest } = JSON.parse(line) as Record<string, unknown>
  assert.deepEqual(rest, { level: 'info', hops: 3, role: 'exit', msg: 'circuit ready' })
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/)
  assert.equal(line.endsWith('\n'), true)
})

test('writes nothing below its level, and names the part in a child', () => {
  const { lines, log } = record('info')
  log.debug('hidden')
  log.child('link').warn('slow')
  assert.equal(lines.length, 1)
  assert.equal((JSON.parse(lines[0] ?? '') as { component: string }).component, 'link')
})

test('drops fields that are not on the list and values that are no words, and says how many', () => {
  const { lines, log } = record('trace')
  const careless: Record<string, unknown> = {
    hops: 2,
    host: 'canary.example',
    reason: '192.0.2.77',
    code: 'canary.example',
    count: 'canary',
    err: new Error('canary.example refused'),
    state: undefined,
  }
  log.error('failed', careless)
  const parsed = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  assert.equal(parsed['hops'], 2)
  assert.equal(parsed['dropped'], 5)
  assert.doesNotMatch(lines[0] ?? '', /canary|192\.0\.2/)
})

test('does not let a component name carry an address', () => {
  const { lines, log } = record()
  log.child('10.0.0.1:443').info('x')
  assert.doesNotMatch(lines[0] ?? '', /10\.0\.0\.1/)
})
