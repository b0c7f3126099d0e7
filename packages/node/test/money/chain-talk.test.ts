/** Questions about the chain on control circuits of a live node (SPEC §15.9): answers in parts, and within limits. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { concatBytes } from '@byway/protocol/base'
import {
  CHAIN_QUESTION,
  CHAIN_VERDICT,
  CLOSE_REASON,
  MAX_CHAIN_ANSWER_BYTES,
  PAY,
} from '@byway/protocol/wire'
import type { ChainMessage, ChainQuestion, ChainVerdict } from '@byway/protocol/wire'
import { until } from '../exit/test-target.ts'
import { connectControl } from './control-client.ts'
import type { ControlCircuit } from './control-client.ts'
import { startLiveNode } from './live-node.ts'

type Told = { readonly verdict: ChainVerdict; readonly body: Uint8Array }

const HEAD: ChainQuestion = { kind: CHAIN_QUESTION.HEAD }

/** Says the same to everything, at once. */
const answering = (told: Told) => ({ answer: async () => told })

function ask(request: number): ChainMessage {
  return { kind: PAY.CHAIN, request, question: HEAD }
}

/** All parts of the next answer; undefined when the circuit has ended. */
async function toldOn(circuit: ControlCircuit): Promise<(Told & { request: number }) | undefined> {
  const parts: Uint8Array[] = []
  for (;;) {
    const told = await circuit.next(PAY.TOLD)
    if (!told) return undefined
    parts.push(told.part)
    const { request, verdict, isLast } = told
    if (isLast) return { request, verdict, body: concatBytes(...parts) }
  }
}

suite('questions about the chain at a live node', () => {
  test('the largest answer comes in parts, as it was given', async () => {
    const body = Uint8Array.from({ length: MAX_CHAIN_ANSWER_BYTES }, (_, i) => i % 251)
    await using live = await startLiveNode({
      chainAnswers: answering({ verdict: CHAIN_VERDICT.OK, body }),
    })
    await using control = await connectControl(live)
    const circuit = await control.open()
    // Five of the largest are what one circuit carries.
    for (const request of [7, 65_535, 0, 1, 2]) {
      circuit.send(ask(request))
      const told = await toldOn(circuit)
      assert.deepEqual(told, { request, verdict: CHAIN_VERDICT.OK, body })
    }
    assert.equal(circuit.destroyed, undefined)
    assert.equal(live.node.status().money?.chainQuestions, 5)
    circuit.send(ask(3))
    assert.equal(await toldOn(circuit), undefined)
    assert.equal(circuit.destroyed, CLOSE_REASON.UNPAID)
  })

  test('a fifth open question ends the circuit, and what was asked is given up', async () => {
    const given: boolean[] = []
    const chainAnswers = {
      answer: (_: ChainQuestion, signal: AbortSignal) =>
        new Promise<Told>((resolve) => {
          signal.addEventListener('abort', () => {
            given.push(true)
            resolve({ verdict: CHAIN_VERDICT.CHAIN_AWAY, body: new Uint8Array(0) })
          })
        }),
    }
    await using live = await startLiveNode({ chainAnswers })
    await using control = await connectControl(live)
    const circuit = await control.open()
    circuit.send(ask(1), ask(2), ask(3), ask(4))
    circuit.send(ask(5))
    assert.equal(await toldOn(circuit), undefined)
    assert.equal(circuit.destroyed, CLOSE_REASON.PROTOCOL)
    await until(() => given.length === 4)
  })

  test('a link that asks too much is told so, and may ask again in a while', async () => {
    const none = { verdict: CHAIN_VERDICT.NONE, body: new Uint8Array(0) }
    await using live = await startLiveNode({ chainAnswers: answering(none) })
    await using control = await connectControl(live)
    const verdicts: (ChainVerdict | undefined)[] = []
    const circuits = [await control.open(), await control.open()]
    for (let i = 0; i < 100 && !verdicts.includes(CHAIN_VERDICT.TRY_LATER); i++) {
      // The limit is the link's, not the circuit's.
      for (const circuit of circuits) {
        circuit.send(ask(i))
        verdicts.push((await toldOn(circuit))?.verdict)
      }
    }
    assert.equal(verdicts[0], CHAIN_VERDICT.NONE)
    assert.equal(verdicts.includes(CHAIN_VERDICT.TRY_LATER), true)
    const [circuit] = circuits
    let again: ChainVerdict | undefined = CHAIN_VERDICT.TRY_LATER
    while (again === CHAIN_VERDICT.TRY_LATER) {
      await sleep(100)
      circuit?.send(ask(1000))
      again = circuit && (await toldOn(circuit))?.verdict
    }
    assert.equal(again, CHAIN_VERDICT.NONE)
  })

  test('a node that answers none says so', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const circuit = await control.open()
    circuit.send(ask(1))
    assert.equal((await toldOn(circuit))?.verdict, CHAIN_VERDICT.NOT_ALLOWED)
  })

  test('on a link it is a protocol error', async () => {
    await using live = await startLiveNode()
    await using client = await live.connect()
    client.send(ask(1))
    await until(() => client.closed !== undefined)
  })
})
