/** `node tools/run.mjs contracts/tools/make-service-answer.ts`: makes the proofs of `vectors/service-answer.json` (`contracts/test/kit/real-answer.ts`). Takes `npm run zk -- service-audit` once before. */
import { writeFile } from 'node:fs/promises'
import { auditInput, proveAudit } from '@byway/zk'
import { bytesToHex } from 'viem'
import { createLeafProver } from '../test/kit/leaf-proofs.ts'
import {
  ANSWER_FILE,
  describe,
  type KeptAnswer,
  startAnswerScene,
} from '../test/kit/real-answer.ts'
import type { Slot } from '../test/kit/slots.ts'

const made = await startAnswerScene()
await using _scene = made.scene
using prover = createLeafProver(made.scene.client)
const slots: Slot[] = []
for (const slot of made.slots) slots.push(await prover.open(slot))
const { proof } = await proveAudit(auditInput(made.tree, made.statement))
const kept: KeptAnswer = { ...(await describe({ ...made, slots })), proof: bytesToHex(proof) }
await writeFile(ANSWER_FILE, `${JSON.stringify(kept, null, 2)}\n`)
console.error(`made ${slots.length} slot proofs and an audit's: ${ANSWER_FILE}`)
