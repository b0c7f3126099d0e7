/** A person at a terminal, for commands that ask: reads what is shown, types answers. */
import { runCli } from '../../src/program.ts'
import type { CliIo } from '../../src/io.ts'

export type Conversation = { readonly code: number; readonly out: string; readonly err: string }

/** Answers one question; `shown` is everything on the screen so far. */
export type Answer = (question: string, shown: string) => string

/** Runs a command line with nobody there, in this process: a new one takes seconds of a busy machine. */
export async function asScript(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Conversation> {
  return await converse(args, env, undefined)
}

/** Runs a command line with somebody there. */
export async function asPerson(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  answer: Answer,
): Promise<Conversation> {
  return await converse(args, env, answer)
}

async function converse(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  answer: Answer | undefined,
): Promise<Conversation> {
  let [out, err] = ['', '']
  const ask = (question: string): Promise<string> => {
    err += question
    return answer
      ? Promise.resolve(answer(question, err))
      : Promise.reject(new Error('nobody is there'))
  }
  const io: CliIo = {
    env,
    isInteractive: answer !== undefined,
    signal: new AbortController().signal,
    nowMs: () => Date.now(),
    writeOut: (text) => (out += text),
    writeErr: (text) => (err += text),
    ask,
    askHidden: ask,
  }
  return { code: await runCli(args, io), out, err }
}

/** The words of the table that `wallet create` shows, in order. */
export function wordsShown(shown: string): readonly string[] {
  const found = [...shown.matchAll(/(\d{1,2})\. ([a-z]{3,8})\b/g)]
  return found.toSorted((a, b) => Number(a[1]) - Number(b[1])).map(([, , word]) => word ?? '')
}

/** Types the words that were asked for, and a passphrase. */
export function careful(passphrase: string): Answer {
  return (question, shown) => {
    const [, position] = /^word (\d+): $/.exec(question) ?? []
    if (position !== undefined) return wordsShown(shown)[Number(position) - 1] ?? ''
    return question.startsWith('Written down?') ? '' : passphrase
  }
}
