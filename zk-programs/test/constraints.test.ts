/**
 * Hunts values that nothing holds fast: in a true witness every single wire is changed in turn, and some constraint must break. A wire that may be
 * changed alone could be chosen freely in a proof. Only the audit, whose own size takes minutes, is hunted at a small one.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { readR1cs } from 'r1csfile'
import type { LinearCombination } from 'r1csfile'
import type { SignalInput } from 'snarkjs'
import { joinInput } from '../../packages/zk/src/join.ts'
import { slotInput } from '../../packages/zk/src/slot.ts'
import { withdrawInput } from '../../packages/zk/src/withdraw-unused.ts'
import { poseidon1, poseidon2, poseidon3 } from 'poseidon-lite'
import { auditInput } from '../../packages/zk/src/audit.ts'
import { buildAuditTree } from '../../packages/zk/src/audit-tree.ts'
import { signReceipt } from '../../packages/zk/src/receipt.ts'
import { ORDER, reduce } from '../tools/field.ts'
import { hashOf, type Manifest } from '../tools/pins.ts'
import {
  type Change,
  compileConstraints,
  type CompiledConstraints,
  createVariantFolder,
} from './kit/variants.ts'

const manifest = JSON.parse(
  readFileSync(new URL('../../packages/zk/artefacts/manifest.json', import.meta.url), 'utf8'),
) as Manifest

/** Two levels of a path. */
const PATH = [
  { sibling: 11n, isLeft: true },
  { sibling: 12n, isLeft: false },
]
const SHOWN = { domain: 42n, x: 777n, tag: 7001n, unitsPerSlot: 5n, path: PATH }
/** The only leaf but one of a tree of four: two slots and a rest. */
const JOINED = { secret: 5n, limit: 14, path: PATH }
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

type Hunted = {
  readonly program: string
  readonly size?: string
  readonly input: SignalInput
  readonly least: number
  /** Names of signals that may be anything, which says nothing. */
  readonly freeHints?: readonly string[]
}

/** Witnesses in which each place is used at least once, and some are not. */
const SLOT = slotInput({ ...SHOWN, secret: 5n, limit: 40, j: 3 })
const WITHDRAW = withdrawInput({
  ...SHOWN,
  secret: 5n,
  limit: 43,
  slots: [3, 0, 7],
  withRest: true,
})
const JOIN = joinInput({ ...SHOWN, root: ROOT, leaves: [JOINED, JOINED] })
const PROGRAMS: readonly Hunted[] = [
  { program: 'slot', input: SLOT, least: 7000 },
  { program: 'withdraw-unused', input: WITHDRAW, least: 11_000 },
  { program: 'join', input: JOIN, least: 28_000 },
  {
    program: 'service-audit',
    size: 'ServiceAudit(2, 3)',
    input: auditInput(AUDIT, { ...STATEMENT, root: AUDIT.root, total: AUDIT.total }, 2),
    least: 14_000,
    // A signature's two coordinates are compared by an inverse of their difference (circomlib's IsZero). Of nothing there is none: any number does, and the outcome is one all the same.
    freeHints: [0, 1].flatMap((sample) =>
      ['X', 'Y'].map(
        (axis) => `main.AuditSample[${sample}].EdDSAPoseidonVerifier.eqCheck${axis}.isz.inv`,
      ),
    ),
  },
]

type Constraint = readonly [LinearCombination, LinearCombination, LinearCombination]
type Witness = {
  readonly constraints: readonly Constraint[]
  readonly wires: bigint[]
  readonly compiled: CompiledConstraints
}

const valueOf = (combination: LinearCombination, wires: readonly bigint[]): bigint =>
  Object.entries(combination).reduce(
    (sum, [wire, factor]) => reduce(sum + factor * (wires[Number(wire)] ?? 0n)),
    0n,
  )

const holds = ([a, b, c]: Constraint, wires: readonly bigint[]): boolean =>
  (valueOf(a, wires) * valueOf(b, wires)) % ORDER === valueOf(c, wires)

async function witnessOf(
  hunted: Hunted,
  isReal: boolean,
  changes: readonly Change[] = [],
): Promise<Witness> {
  using folder = createVariantFolder()
  const { program, size } = hunted
  const variant = { program, ...(size !== undefined && { size }), isReal, changes }
  const compiled = compileConstraints(variant, folder.path)
  const read = await readR1cs(compiled.r1cs, { loadConstraints: true, singleThread: true })
  const constraints = read.constraints.map((each) =>
    each.map((combination) => plain(combination, read.F)),
  ) as unknown as Constraint[]
  await read.curve.terminate()
  return { constraints, compiled, wires: [...(await compiled.calculate(hunted.input))] }
}

/** Names of the wires that may be changed alone; each has one at least. */
function freeOf({ constraints, wires, compiled }: Witness): readonly string[] {
  const users = wires.map((): Constraint[] => [])
  for (const constraint of constraints) {
    const used = constraint.flatMap((combination) => Object.keys(combination).map(Number))
    for (const wire of new Set(used)) users[wire]?.push(constraint)
  }
  return wires.flatMap((value, wire) => {
    const changed = wires.with(wire, reduce(value + 1n))
    if (users[wire]?.some((each) => !holds(each, changed))) return []
    return compiled.namesOf(wire).join(' = ') || `wire ${wire}`
  })
}

for (const hunted of PROGRAMS) {
  const { program, size = 'its own size', least, freeHints = [] } = hunted
  const isSmall = hunted.size !== undefined
  describe(`the constraints of the ${program} program, ${size}`, () => {
    let witness: Witness
    before(async () => {
      witness = await witnessOf(hunted, true)
    })

    it('hold for a true witness', () => {
      const { constraints, wires } = witness
      assert.ok(constraints.length > least && wires.length > least, String(wires.length))
      assert.ok(constraints.every((each) => holds(each, wires)))
    })

    if (!isSmall)
      it('are those of the committed artefact, to the byte', () => {
        assert.equal(hashOf(witness.compiled.wasm), manifest.files[`${program}.wasm`]?.sha256)
      })

    it('leave no wire free that says anything', () => {
      assert.deepEqual(freeOf(witness).toSorted(), freeHints.toSorted())
    })
  })
}

describe('the hunt', () => {
  it('finds a wire that nothing holds, in a program that says nothing of one', async () => {
    const small = { program: 'slot', size: 'Slot(3)', input: standInSlot(), least: 0 }
    const unheld: Change = ['signal xSquare <== x * x;']
    assert.deepEqual(freeOf(await witnessOf(small, false)), [])
    assert.deepEqual(freeOf(await witnessOf(small, false, [unheld])), ['main.x'])
    const unbound: Change = ['nullifier <== Poseidon', 'nullifier <-- 1; _ <== Poseidon']
    assert.deepEqual(freeOf(await witnessOf(small, false, [unbound])), ['main.nullifier'])
  })
})

/** Of no tree: the slot program gives the root. */
function standInSlot(): SignalInput {
  const row = [0n, 0n, 0n]
  const { path: _, ...shown } = SHOWN
  return { ...shown, secret: 5n, limit: 40n, j: 3n, active: row, isRight: row, siblings: row }
}

function plain(
  combination: Readonly<Record<string, Uint8Array>>,
  field: { toObject(element: Uint8Array): bigint },
): LinearCombination {
  return Object.fromEntries(
    Object.entries(combination).map(([wire, factor]) => [wire, field.toObject(factor)]),
  )
}
