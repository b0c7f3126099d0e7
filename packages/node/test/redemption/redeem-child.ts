/**
 * A provider's redemption in a process of its own, to be killed: before or after the nth time it hands wins to the chain it prints a line and waits for its end.
 */
import {
  openProvider,
  statesOf,
  type RedeemerSettings,
  type SendMoment,
} from './redeeming-world.ts'

const settings = JSON.parse(process.argv[2] ?? '', (_name, value: unknown) =>
  typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
) as RedeemerSettings
const [haltAt, haltCall] = [process.argv[3] as SendMoment, Number(process.argv[4])]
let calls = 0

const provider = await openProvider(settings, {
  async onSend(moment) {
    const states = statesOf(await provider.winners())
    if (moment !== haltAt || !states['queued'] || ++calls < haltCall) return
    process.stdout.write('halted\n')
    await new Promise<never>(() => {})
  },
})
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
  return Object.keys(states).every((state) => state === 'done')
}, mine)
await provider[Symbol.asyncDispose]()
