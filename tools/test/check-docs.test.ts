import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { checkDocs, writeDocs } from '../check-docs.ts'
import { writeTree } from './tree.ts'

const SOURCE = `/** The most of it (SPEC §1.1). */
export const MAX_THINGS = 3

type Errors = {
  /** The thing is not one. */
  THING_BAD: { what: string }
}
const thingError = errorBuilder<Errors>({
  THING_BAD: ['peer', 'bad thing'],
})
`
const PARTS = '<!-- made: policy tables -->\n<!-- made: end -->\n'
const SPEC = '# Spec\n\n## 1 All\n\nMUST, SHOULD and MAY are those of RFC 2119.\n\n### 1.1 First\n'
/** With the parts that are made, as `docs:fix` finds them before the first time. */
const ARCHITECTURE = `| \`@byway/a\` | all |
<!-- made: package graph -->
<!-- made: end -->
<!-- made: package imports -->
<!-- made: end -->
`
const FILES = {
  'package.json': '{"scripts":{"test":"x","docs:fix":"y"}}',
  'README.md': 'Run `npm test`; see [the spec](docs/SPEC.md#11-first).\n',
  'docs/SPEC.md': SPEC + PARTS,
  'docs/ARCHITECTURE.md': ARCHITECTURE,
  'packages/a/package.json': '{"name":"@byway/a"}',
  'packages/a/src/thing.ts': SOURCE,
}

/** Makes the tree, writes its generated files, applies the change and returns the faults of each check that has any. */
function faultsAfter(
  t: TestContext,
  change: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const whole = writeTree(t, FILES)
  writeDocs(whole)
  const checked = writeTree(t, { ...FILES, ...madeBy(whole), ...change })
  const found = Object.entries(checkDocs(checked)).filter(([, { faults }]) => faults.length > 0)
  return Object.fromEntries(found.map(([name, { faults }]) => [name, faults.join('\n')]))
}

function madeBy(root: string): Readonly<Record<string, string>> {
  const read = (file: string): string => readFileSync(`${root}/${file}`, 'utf8')
  const files = ['docs/ERRORS.md', 'docs/LIMITS.md', 'docs/SPEC.md', 'docs/ARCHITECTURE.md']
  return Object.fromEntries(files.map((file) => [file, read(file)]))
}

test('finds nothing wrong in a true tree, and counts what it saw', (t) => {
  assert.deepEqual(faultsAfter(t, {}), {})
  const root = writeTree(t, FILES)
  const looked = Object.entries(checkDocs(root)).map(([name, finding]) => [name, finding.looked])
  assert.deepEqual(Object.fromEntries(looked), {
    'docs/ERRORS.md': 1,
    'docs/LIMITS.md': 1,
    'docs/SPEC.md': 28,
    'docs/ARCHITECTURE.md': 2,
    links: 1,
    'spec references': 1,
  })
})

test('fails each check that saw nothing', (t) => {
  const faults = Object.values(
    checkDocs(writeTree(t, { 'package.json': '{}', 'docs/SPEC.md': '' })),
  )
  assert.equal(faults.length, 6)
  for (const finding of faults) {
    assert.equal(finding.looked, 0)
    assert.match(finding.faults.join('\n'), /seen: the check itself is broken/)
  }
})

const SRC = 'packages/a/src/thing.ts'
const CASES: readonly (readonly [
  rule: string,
  change: Record<string, string>,
  check: string,
  fault: RegExp,
])[] = [
  [
    'a link to a file that is not there',
    { 'docs/X.md': '[x](gone.md)' },
    'links',
    /docs\/X\.md: gone\.md leads nowhere/,
  ],
  [
    'a link to a heading that is not there',
    { 'docs/X.md': '[x](SPEC.md#no)' },
    'links',
    /names a heading/,
  ],
  [
    'an npm script that is not there',
    { 'docs/X.md': '`npm run gone`' },
    'links',
    /no npm script "gone"/,
  ],
  [
    'a citation of a section that is not there',
    { 'packages/a/test/a.test.ts': '// SPEC §1.1, §9.9' },
    'spec references',
    /SPEC §9\.9/,
  ],
  [
    'a demand of SPEC that no source cites',
    {
      'docs/SPEC.md': `${SPEC}\n### 1.2 Second\n\nA peer MUST.\n`,
      'packages/a/test/a.test.ts': '// SPEC §1.2',
    },
    'spec references',
    /^SPEC §1\.2 says MUST, and no source cites it$/,
  ],
  [
    'a demand of SPEC that no test cites',
    { 'docs/SPEC.md': `${SPEC}\nA peer MUST.\n` },
    'spec references',
    /^SPEC §1\.1 says MUST, and no test cites it$/,
  ],
  [
    'a limit whose comment says only who may change it',
    { 'packages/b/src/x.ts': '// Local limits (tunable): docs/LIMITS.md.\nconst MAX_PARTS = 3' },
    'docs/LIMITS.md',
    /MAX_PARTS has no comment that says why/,
  ],
  [
    'a number without a reason below a heading that names the list, whatever it is called',
    { 'packages/b/src/x.ts': '// Local limits (tunable): docs/LIMITS.md.\nconst REST_MS = 3' },
    'docs/LIMITS.md',
    /REST_MS has no comment that says why/,
  ],
  [
    'a number below such a heading that the list does not have',
    {
      'packages/b/src/x.ts':
        '// Local limits (tunable): docs/LIMITS.md.\n/** Why. */\nconst REST_MS = 3 * DAY_MS\n\nconst DAY_MS = 4',
    },
    'docs/LIMITS.md',
    /not what the sources say/,
  ],
  [
    'a code that ERRORS.md does not have',
    { 'packages/a/src/b.ts': "/** No. */\nconst K = {\n  /** New. */\n  NEW_CODE: 'peer',\n}" },
    'docs/ERRORS.md',
    /not what the sources say/,
  ],
  [
    'a code that only ERRORS.md has',
    { [SRC]: SOURCE.replaceAll('THING_BAD', 'THING_OTHER') },
    'docs/ERRORS.md',
    /not what the sources say/,
  ],
  [
    'a kind that changed',
    { [SRC]: SOURCE.replace("'peer'", "'config'") },
    'docs/ERRORS.md',
    /not what the sources say/,
  ],
  [
    'a code without a comment or a message',
    { 'packages/b/src/x.ts': "const K = {\n  THING_WORSE: 'peer' }" },
    'docs/ERRORS.md',
    /THING_WORSE has no comment/,
  ],
  [
    'a code of two kinds',
    { 'packages/b/src/x.ts': "/** Two. */\nconst K = {\n  THING_BAD: 'bug' }" },
    'docs/ERRORS.md',
    /two kinds/,
  ],
  [
    'a limit that changed',
    { [SRC]: SOURCE.replace('= 3', '= 4') },
    'docs/LIMITS.md',
    /not what the sources say/,
  ],
  [
    'a package that imports what ARCHITECTURE does not say',
    { 'packages/a/package.json': '{"name":"@byway/a","dependencies":{"viem":"1"}}' },
    'docs/ARCHITECTURE.md',
    /not what the sources say/,
  ],
  [
    'a package of which ARCHITECTURE does not say what it owns',
    { 'packages/b/package.json': '{"name":"@byway/b"}' },
    'docs/ARCHITECTURE.md',
    /does not say what @byway\/b owns/,
  ],
  [
    'a table of the policy that SPEC does not have',
    { 'docs/SPEC.md': `${SPEC}<!-- made: policy tables -->\n| x |\n<!-- made: end -->\n` },
    'docs/SPEC.md',
    /not what the sources say/,
  ],
  [
    'a limit without a reason',
    { [SRC]: SOURCE.replace(/^.*\n/, '') },
    'docs/LIMITS.md',
    /MAX_THINGS has no comment/,
  ],
  [
    'a field of a limits object without a reason',
    { 'packages/b/src/x.ts': 'const DEFAULT_LIMITS = {\n  queueBytes: 1,\n}' },
    'docs/LIMITS.md',
    /queueBytes has no comment/,
  ],
]

for (const [rule, change, check, fault] of CASES) {
  test(`refuses ${rule}`, (t) => {
    assert.match(faultsAfter(t, change)[check] ?? 'no fault', fault)
  })
}
