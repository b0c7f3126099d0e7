/**
 * The program of a thread that does a part of a proof: the sum of some of a key's points, or the quotient's rows. It holds no more of the key than its task takes.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { ProgramName } from './programs.ts'
import { ELEMENT_BYTES, openCurve } from './curve-memory.ts'
import type { GroupName } from './group.ts'
import { ITEM_BYTES, type KeyFile, openBytes, openKeyFile, type PointsName } from './key-file.ts'
import { createMultiExp, multiExpBytes } from './multi-exp.ts'
import { copyItems, firstWire, keptPoints, writePoints } from './proving-key.ts'
import { createQuotient, quotientBytes } from './quotient.ts'

/** What each thread is told at its start. */
export type ProofThreadData = {
  readonly program: ProgramName
  readonly keyPath: string
  /** Points of the largest task. */
  readonly mostPoints: number
}

/** What a thread is asked. Numbers have 32 bytes each, least byte first. */
export type ProofTask =
  | {
      readonly do: 'sum'
      readonly points: PointsName
      /** The first point, and the one after the last. */
      readonly from: number
      readonly to: number
      /** Of all wires, or of all rows. */
      readonly numbers: SharedArrayBuffer
    }
  | { readonly do: 'rows'; readonly wires: SharedArrayBuffer }

/** What it answers: a Jacobian point as the curve's memory holds it, or the numbers of all rows. */
export type ProofAnswer = { readonly sum: Uint8Array } | { readonly rows: SharedArrayBuffer }

/** Of terms that are read at a time: three megabytes. */
const TERMS_AT_A_TIME = 65_536
/** A point and some numbers. */
const ROOM_BYTES = 4096
const GROUPS = { a: 'g1m', b1: 'g1m', b2: 'g2m', c: 'g1m', h: 'g1m' } as const

const { program, keyPath, mostPoints } = workerData as ProofThreadData
const key = openKeyFile(openBytes(keyPath).read)
const sums = new Map<GroupName, PartSum>()

/** Sums points of a section, from one up to another, each times its number. */
type PartSum = (name: PointsName, from: number, to: number, numbers: Uint8Array) => Uint8Array

function openSum(file: KeyFile, group: GroupName, pointBytes: number): PartSum {
  const roomBytes = mostPoints * (pointBytes + ELEMENT_BYTES) + multiExpBytes(group, mostPoints)
  const curve = openCurve(program, roomBytes + ROOM_BYTES)
  const [points, scalars] = [pointBytes, ELEMENT_BYTES].map((size) =>
    curve.alloc(mostPoints * size),
  )
  if (points === undefined || scalars === undefined) throw new Error('no room')
  const at = curve.alloc((3 * pointBytes) / 2)
  const sum = createMultiExp(curve, group, mostPoints)
  return (name, from, to, numbers) => {
    const bytes = file.read(name, from, to)
    const kept = keptPoints(bytes, pointBytes)
    writePoints(curve, bytes, pointBytes, kept, points)
    const first = firstWire(file, name) + from
    const places = kept.map((i) => i + first)
    copyItems(numbers, { size: ELEMENT_BYTES, places }, new Uint8Array(curve.view.buffer), scalars)
    sum(points, scalars, kept.length, at)
    return new Uint8Array(curve.view.buffer).slice(at, at + (3 * pointBytes) / 2)
  }
}

/** Its memory is given back after the task. */
function rowsOf(file: KeyFile, wires: Uint8Array): SharedArrayBuffer {
  const rowBytes = file.rows * ELEMENT_BYTES
  const pieceBytes = TERMS_AT_A_TIME * ITEM_BYTES.terms
  const curve = openCurve(
    program,
    quotientBytes(file.rows) + wires.length + pieceBytes + ROOM_BYTES,
  )
  const [at, piece] = [curve.alloc(wires.length), curve.alloc(pieceBytes)]
  const memory = new Uint8Array(curve.view.buffer)
  memory.set(wires, at)
  const quotient = createQuotient(curve, file, (take) => {
    const all = file.count('terms')
    for (let from = 0; from < all; from += TERMS_AT_A_TIME) {
      const to = Math.min(all, from + TERMS_AT_A_TIME)
      memory.set(file.read('terms', from, to), piece)
      take(piece, to - from)
    }
  })
  const rows = quotient(at)
  const shared = new SharedArrayBuffer(rowBytes)
  new Uint8Array(shared).set(memory.subarray(rows, rows + rowBytes))
  return shared
}

function answer(task: ProofTask): ProofAnswer {
  if (task.do === 'rows') return { rows: rowsOf(key, new Uint8Array(task.wires)) }
  const group = GROUPS[task.points]
  const sum = sums.get(group) ?? openSum(key, group, ITEM_BYTES[task.points])
  sums.set(group, sum)
  return { sum: sum(task.points, task.from, task.to, new Uint8Array(task.numbers)) }
}

parentPort?.on('message', (task: ProofTask) => parentPort?.postMessage(answer(task)))
