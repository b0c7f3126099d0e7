import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { checkBoundaries } from '../check-boundaries.ts'
import { writeTree } from './tree.ts'

const NET_MANIFEST = JSON.stringify({
  name: '@byway/net',
  dependencies: { '@byway/protocol': '0.1.0' },
})
const GOOD = {
  'packages/net/package.json': NET_MANIFEST,
  'packages/net/src/link.ts':
    "import { a } from '@byway/protocol/wire'\nimport { b } from './b.ts'\n",
}

function faultsOf(t: TestContext, files: Readonly<Record<string, string>>): readonly string[] {
  return checkBoundaries(writeTree(t, files)).faults
}

test('accepts imports that point down and stay in the package', (t) => {
  const report = checkBoundaries(writeTree(t, GOOD))
  assert.deepEqual(report, { imports: 2, files: 1, faults: [] })
})

test('fails on files that import each other in a circle, types too, and names one way round', (t) => {
  const faults = faultsOf(t, {
    ...GOOD,
    'packages/net/src/b.ts': "import type { C } from './deep/c.ts'\n",
    'packages/net/src/deep/c.ts': "import { d } from '../d.ts'\nimport { e } from '../e.ts'\n",
    'packages/net/src/d.ts': "export { b } from './b.ts'\n",
    'packages/net/src/e.ts': 'export const e = 1\n',
  })
  assert.deepEqual(faults, [
    'a circle: packages/net/src/b.ts → packages/net/src/deep/c.ts → packages/net/src/d.ts → packages/net/src/b.ts',
  ])
})

test('fails when it saw no file at all', (t) => {
  assert.deepEqual(faultsOf(t, {}), ['no imports seen: the check itself is broken'])
})

test('fails when it saw files but no import', (t) => {
  const faults = faultsOf(t, { 'packages/net/src/a.ts': 'export const a = 1\n' })
  assert.deepEqual(faults, ['no imports seen: the check itself is broken'])
})

const BAD: readonly (readonly [rule: string, file: string, text: string, fault: RegExp])[] = [
  [
    'an import of a higher layer',
    'packages/net/src/x.ts',
    "import { n } from '@byway/node'\n",
    /layer 4 must not import/,
  ],
  [
    'an import of the same layer',
    'packages/client/src/x.ts',
    "import { n } from '@byway/node'\n",
    /layer 5 must not import/,
  ],
  [
    'a type import of a higher layer',
    'packages/net/src/x.ts',
    "import type { n } from '@byway/cli'\n",
    /layer 4/,
  ],
  [
    'a multi-line import of a higher layer',
    'packages/net/src/x.ts',
    "import {\n  n,\n} from '@byway/node'\n",
    /layer 4/,
  ],
  [
    'a re-export of a higher layer',
    'packages/net/src/x.ts',
    "export { n } from '@byway/node'\n",
    /layer 4/,
  ],
  [
    'a dynamic import of a higher layer',
    'packages/net/src/x.ts',
    "const n = await import('@byway/node')\n",
    /layer 4/,
  ],
  [
    'an import type expression of a higher layer',
    'packages/net/src/x.ts',
    "type N = import('@byway/node').N\n",
    /layer 4/,
  ],
  [
    'a deep import',
    'packages/net/src/x.ts',
    "import { c } from '@byway/protocol/wire/cell'\n",
    /not a public entry/,
  ],
  [
    'a relative path into another package',
    'packages/net/src/x.ts',
    "import { c } from '../../node/src/y.ts'\n",
    /reaches into @byway\/node/,
  ],
  [
    'a relative path out of the packages',
    'packages/net/src/x.ts',
    "import { c } from '../../../tools/y.ts'\n",
    /leaves the package/,
  ],
  [
    'a sibling folder of the core',
    'packages/protocol/src/wire/x.ts',
    "import { c } from '@byway/protocol/crypto'\n",
    /layer 1/,
  ],
  [
    'a relative path between folders of the core',
    'packages/protocol/src/wire/x.ts',
    "import { c } from '../base/index.ts'\n",
    /reaches into/,
  ],
  [
    'Node in the core',
    'packages/protocol/src/crypto/x.ts',
    "import { randomBytes } from 'node:crypto'\n",
    /must not import node:crypto/,
  ],
  [
    'a library in the core',
    'packages/protocol/src/wire/x.ts',
    "import { z } from 'zod'\n",
    /must not import zod/,
  ],
  [
    'a package without a layer',
    'packages/odd/src/x.ts',
    "import { z } from 'zod'\n",
    /has no layer/,
  ],
]

for (const [rule, file, text, fault] of BAD) {
  test(`refuses ${rule}`, (t) => {
    const faults = faultsOf(t, { ...GOOD, [file]: text })
    assert.equal(faults.length, 1, faults.join('\n'))
    assert.match(faults[0] ?? '', fault)
  })
}

test('refuses a dependency that package.json does not declare', (t) => {
  const files = { ...GOOD, 'packages/net/package.json': JSON.stringify({ name: '@byway/net' }) }
  assert.match(faultsOf(t, files)[0] ?? '', /not declared/)
})

test('lets only the crypto adapters of the core see Node', (t) => {
  const files = {
    ...GOOD,
    'packages/protocol/src/crypto/node-aead.ts': "import { createHash } from 'node:crypto'\n",
  }
  assert.deepEqual(faultsOf(t, files), [])
})
