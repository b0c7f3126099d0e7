/** What deposits hold beyond whole slots (SPEC §14.6): all of those that came back smaller than one. How much waits, what is being joined, and when. The chain knows what was joined; the client knows what it is about to join. */
import { isBywayError, toHex } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { restNullifier, u256Bytes } from '@byway/protocol/ticket'
import type { StoredReturn } from '@byway/store'
import { askControl } from '../control/control-socket.ts'
import { hasOwnStore, openOwnStore } from '../engine/own-store.ts'
import type { JsonObject } from '../output.ts'
import { formatAmount, parseAmount } from './amounts.ts'
import type { Wallet } from './open-wallet.ts'
import type { WalletDeposit } from './slots-of.ts'

/** Values in the token's smallest parts. */
export type SmallDeposits = {
  /** Not joined yet, nor being joined. */
  readonly waiting: { readonly deposits: number; readonly value: bigint }
  readonly joining: { readonly deposits: number; readonly value: bigint }
  /** When a relayer is asked next, milliseconds since 1970; undefined when nobody is to be asked. */
  readonly nextAtMs: number | undefined
}

/** Units of a deposit that make no slot, and were neither joined nor paid out. */
export function freeRest({ rest }: WalletDeposit): number {
  const isFree = rest && (['none', 'locked', 'lapsed'] as const).some((one) => one === rest.state)
  return isFree ? rest.units : 0
}

/** Adds up what the chain has, and what the client, running or not, is about to join. @throws what the control socket and the store throw */
export async function smallDepositsOf(
  { home, pool, payment }: Wallet,
  deposits: readonly WalletDeposit[],
): Promise<SmallDeposits> {
  const free = deposits.filter((one) => freeRest(one) > 0)
  const sumOf = (some: readonly WalletDeposit[]) => {
    const units = some.reduce((sum, one) => sum + freeRest(one), 0)
    return { deposits: some.length, value: BigInt(units) * pool.unit }
  }
  const running = await joiningOfRunning(home, payment.tokenDecimals)
  if (running) {
    const all = sumOf(free)
    const waiting = {
      deposits: Math.max(0, all.deposits - running.joining.deposits),
      value: all.value > running.joining.value ? all.value - running.joining.value : 0n,
    }
    return { ...running, waiting }
  }
  const orders = await joiningsIn(home)
  const asked = new Set(orders.flatMap(({ rests }) => rests.map(toHex)))
  const isAsked = ({ deposit }: WalletDeposit): boolean =>
    asked.has(toHex(u256Bytes(restNullifier(nodeTicketCrypto, deposit.owner.secret))))
  const due = orders.filter(({ state }) => state === 'waiting').map(({ dueMs }) => dueMs)
  return {
    waiting: sumOf(free.filter((one) => !isAsked(one))),
    joining: sumOf(free.filter(isAsked)),
    nextAtMs: due.length === 0 ? undefined : Math.min(...due),
  }
}

/** As scripts see it; values as digits. */
export function smallFields({ waiting, joining, nextAtMs }: SmallDeposits): JsonObject {
  return {
    waiting: { ...waiting, value: String(waiting.value) },
    joining: { ...joining, value: String(joining.value) },
    nextAt: nextAtMs === undefined ? null : new Date(nextAtMs).toISOString(),
  }
}

/** For people: nothing where there are none. */
export function smallTexts(
  { waiting, joining, nextAtMs }: SmallDeposits,
  { tokenDecimals, tokenSymbol }: Wallet['payment'],
): readonly string[] {
  const money = (value: bigint): string => `${formatAmount(value, tokenDecimals)} ${tokenSymbol}`
  const next = nextAtMs === undefined ? 'a relayer has it' : `asked for at ${timeText(nextAtMs)}`
  return [
    ...(joining.deposits > 0
      ? [`joining    ${money(joining.value)} of ${joining.deposits} deposits; ${next}`]
      : []),
    ...(waiting.deposits > 0
      ? [
          `small      ${money(waiting.value)} beyond whole slots in ${waiting.deposits} deposits: joined when enough is there to make slots`,
        ]
      : []),
  ]
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')
}

async function joiningsIn(home: string): Promise<readonly StoredReturn[]> {
  if (!(await hasOwnStore(home, 'client'))) return []
  await using store = await openOwnStore(home, 'client')
  return (await store.returns.all()).filter(({ kind }) => kind === 'join')
}

/** What a running client says in its status; undefined where none runs. */
async function joiningOfRunning(
  home: string,
  decimals: number,
): Promise<Pick<SmallDeposits, 'joining' | 'nextAtMs'> | undefined> {
  try {
    const status = await askControl(home, 'client', 'status')
    const small = fieldOf(fieldOf(status, 'money'), 'small')
    const [rests, value] = ['rests', 'value'].map((name) =>
      fieldOf(fieldOf(small, 'joining'), name),
    )
    const nextAt = fieldOf(small, 'nextAt')
    return {
      joining: {
        deposits: typeof rests === 'number' ? rests : 0,
        value: typeof value === 'string' ? parseAmount(value, decimals) : 0n,
      },
      nextAtMs: typeof nextAt === 'string' ? Date.parse(nextAt) : undefined,
    }
  } catch (error) {
    if (isBywayError(error) && error.code === 'CONTROL_NOT_RUNNING') return undefined
    throw error
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
