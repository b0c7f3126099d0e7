/** A provider's redemption in a process of its own, to be killed. Prints its winners' states after each look, one line of JSON. */
import { openProvider, statesOf, type RedeemerSettings } from './redeeming-world.ts'

const settings = JSON.parse(process.argv[2] ?? '', (_name, value: unknown) =>
  typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
) as RedeemerSettings

const provider = await openProvider(settings)
const mine = async (): Promise<void> => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'anvil_mine', params: ['0x1'] })
  await fetch(settings.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
}
await provider.until(async () => {
  const states = statesOf(await provider.winners())
  process.stdout.write(`${JSON.stringify(states)}\n`)
  return Object.keys(states).every((state) => state === 'done')
}, mine)
await provider[Symbol.asyncDispose]()
