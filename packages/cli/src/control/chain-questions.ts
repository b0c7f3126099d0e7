/**
 * What a command with money asks the running client of the chain: a question for one node, over that client's circuits, and what the client knows by itself since it asks for all of it.
 */
import type { AskedFor } from '@byway/client'
import { fromHex, toHex } from '@byway/protocol/base'
import { decodePayMessage, encodePayMessage, PAY, type ChainQuestion } from '@byway/protocol/wire'
import type { JsonObject } from '../output.ts'

/** What a client answers. Every method may reject: then there is no answer. */
export interface ChainAnswers {
  /** Which chain it is, and whether nodes can be asked. */
  about(): JsonObject
  /** Passes one question on. @param account - whose; each has nodes of its own. @param seat - counts from 0 */
  ask(
    account: AskedFor,
    seat: number,
    question: ChainQuestion,
    signal: AbortSignal,
  ): Promise<JsonObject>
  /** Gives the account's seats to other nodes. */
  leave(account: AskedFor): JsonObject
  /** A page of the deposit tree's leaves from an index on. */
  leaves(from: number, signal: AbortSignal): Promise<JsonObject>
  /** Where slots are in their lives, by their nullifiers, in the same order. */
  slots(nullifiers: readonly Uint8Array[], signal: AbortSignal): Promise<JsonObject>
}

export type ChainControlQuestion = `chain ${string}`

/** `chain ask funds 0 …` */
export function askText(
  account: AskedFor,
  seat: number,
  question: ChainQuestion,
): ChainControlQuestion {
  const bytes = encodePayMessage({ kind: PAY.CHAIN, request: 0, question })
  return `chain ask ${account} ${seat} ${toHex(bytes)}`
}

/** `chain slots …`, of at most {@link MAX_SLOTS_ASKED}. */
export function slotsText(nullifiers: readonly Uint8Array[]): ChainControlQuestion {
  return `chain slots ${nullifiers.map(toHex).join(',')}`
}

// Local limit (tunable): docs/LIMITS.md.
/** Slots in one question. */
export const MAX_SLOTS_ASKED = 200

/** Answers one, or undefined for a question that is none. @throws what the answers reject with, WIRE_LENGTH, WIRE_VALUE */
export async function answerChain(
  text: string,
  answers: ChainAnswers | undefined,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  if (text === 'chain about') return answers?.about() ?? {}
  if (!answers) return undefined
  const [, left] = /^chain leave (\w+)$/.exec(text) ?? []
  if (isAccount(left)) return answers.leave(left)
  const [, from] = /^chain leaves (\d{1,10})$/.exec(text) ?? []
  if (from !== undefined) return await answers.leaves(Number(from), signal)
  const [, account, seat, question] = /^chain ask (\w+) (\d) ([0-9a-f]+)$/.exec(text) ?? []
  const asked = question === undefined ? undefined : readQuestion(question)
  if (asked && isAccount(account)) return await answers.ask(account, Number(seat), asked, signal)
  const [, slots] = /^chain slots ([0-9a-f]{64}(?:,[0-9a-f]{64})*)$/.exec(text) ?? []
  const nullifiers = slots?.split(',').flatMap((name) => fromHex(name) ?? [])
  if (!nullifiers || nullifiers.length > MAX_SLOTS_ASKED) return undefined
  return await answers.slots(nullifiers, signal)
}

function isAccount(name: string | undefined): name is AskedFor {
  return name !== undefined && Object.hasOwn(ACCOUNTS, name)
}

const ACCOUNTS: Readonly<Record<AskedFor, true>> = { funds: true, provider: true, nobody: true }

function readQuestion(hex: string): ChainQuestion | undefined {
  const bytes = fromHex(hex)
  const message = bytes && decodePayMessage(bytes)
  return message?.kind === PAY.CHAIN ? message.question : undefined
}
