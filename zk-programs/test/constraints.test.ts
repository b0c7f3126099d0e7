/**
 * Hunts values that nothing holds fast: in a true witness every single wire is changed in turn, and some constraint must break. A wire that may be
 * changed alone could be chosen freely in a proof.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readR1cs } from 'r1csfile'
import type { LinearCombination } from 'r1csfile'
import { wtns } from 'snarkjs'
import { joinInput } from '../../packages/zk/src/join.ts'
import { slotInput } from '../../packages/zk/src/slot.ts'
import { withdrawInput } from '../../packages/zk/src/withdraw-unused.ts'
import { poseidon1, poseidon2, poseidon3 } from 'poseidon-lite'
import { auditInput } from '../../packages/zk/src/audit.ts'
import { buildAuditTree } from '../../packages/zk/src/audit-tree.ts'
import { signReceipt } from '../../packages/zk/src/receipt.ts'
import { compile } from '../tools/build.ts'
import { ORDER, reduce } from '../tools/field.ts'

/** Two levels of a path. */
const PATH = [
  { sibling: 11n, isLeft: true },
  { sibling: 12n, isLeft: false },
]
const SHOWN = { domain: 42n, x: 777n, tag: 7001n, unitsPerSlot: 5n, path: PATH }
/** The only leaf but one of a tree of four. */
const JOINED = { secret: 5n, limit: 4, path: PATH }
const ROOT = PATH.reduce(
  (node, { sibling, isLeft }) => poseidon2(isLeft ? [sibling, node] : [node, sibling]),
  poseidon3([poseidon1([JOINED.secret]), BigInt(JOINED.limit), SHOWN.tag]),
)

/** Two receipts, of which the larger is drawn twice. */
const RECEIPTS = [3n, 4000n].map((units, i) =>
  signReceipt(new Uint8Array(32).fill(i + 1), {
    provider: 7n,
    epoch: 8n,
    nullifier: poseidon1([units]),
    units,
  }),
)
const AUDIT = buildAuditTree(RECEIPTS, 3)
const STATEMENT = { provider: 7n, epoch: 8n, maxUnits: 4096n, beacon: 1n }

/** Witnesses in which each place is used at least once, and some are not. Compiling the larger ones takes half a minute. */
const PROGRAMS = [
  { name: 'slot', input: slotInput({ ...SHOWN, secret: 5n, limit: 40, j: 3 }), isSlow: false },
  {
    name: 'withdraw-unused',
    input: withdrawInput({ ...SHOWN, secret: 5n, limit: 43, slots: [3, 0, 7], withRest: true }),
    isSlow: true,
  },
  {
    name: 'join',
    input: joinInput({ ...SHOWN, root: ROOT, leaves: [JOINED, JOINED] }),
    isSlow: true,
  },
  {
    name: 'small-audit',
    place: 'zk-programs/test/programs',
    input: auditInput(AUDIT, { ...STATEMENT, root: AUDIT.root, total: AUDIT.total }, 2),
    isSlow: true,
    // A signature's two coordinates are compared by an inverse of their difference (circomlib's IsZero). Of nothing there is none: any number does, and the outcome is one all the same.
    freeHints: 2 * 2,
  },
]

type Constraint = readonly [LinearCombination, LinearCombination, LinearCombination]

const valueOf = (combination: LinearCombination, wires: readonly bigint[]): bigint =>
  Object.entries(combination).reduce(
    (sum, [wire, factor]) => reduce(sum + factor * (wires[Number(wire)] ?? 0n)),
    0n,
  )

const holds = ([a, b, c]: Constraint, wires: readonly bigint[]): boolean =>
  (valueOf(a, wires) * valueOf(b, wires)) % ORDER === valueOf(c, wires)

for (const { name, place, input, isSlow, freeHints = 0 } of PROGRAMS) {
  const skip = isSlow && process.env['SLOW'] !== '1' && 'half a minute of compiling: with SLOW=1'
  describe(`the constraints of the ${name} program`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'byway-constraints-'))
    let constraints: readonly Constraint[]
    let wires: readonly bigint[]
    before(async () => {
      compile(name, folder, place)
      const options = { loadConstraints: true, singleThread: true }
      const r1cs = await readR1cs(join(folder, `${name}.r1cs`), options)
      constraints = r1cs.constraints.map((each) =>
        each.map((combination) => plain(combination, r1cs.F)),
      ) as unknown as Constraint[]
      const out: { type: 'mem'; data?: Uint8Array } = { type: 'mem' }
      await wtns.calculate(input, readFileSync(join(folder, `${name}_js/${name}.wasm`)), out)
      wires = await wtns.exportJson(out)
      await r1cs.curve.terminate()
    })
    after(() => rmSync(folder, { recursive: true }))

    it('hold for a true witness', () => {
      assert.ok(constraints.length > 7000 && wires.length > 7000)
      assert.ok(constraints.every((each) => holds(each, wires)))
    })

    it('leave no wire free that says anything', () => {
      const users = new Map<number, Constraint[]>()
      for (const constraint of constraints) {
        const used = new Set(
          constraint.flatMap((combination) => Object.keys(combination).map(Number)),
        )
        for (const wire of used) users.set(wire, [...(users.get(wire) ?? []), constraint])
      }
      const free = wires.flatMap((value, wire) => {
        const changed = wires.with(wire, reduce(value + 1n))
        return (users.get(wire) ?? []).some((each) => !holds(each, changed)) ? [] : [wire]
      })
      assert.equal(free.length, freeHints, free.join(' '))
    })
  })
}

function plain(
  combination: Readonly<Record<string, Uint8Array>>,
  field: { toObject(element: Uint8Array): bigint },
): LinearCombination {
  return Object.fromEntries(
    Object.entries(combination).map(([wire, factor]) => [wire, field.toObject(factor)]),
  )
}
