/** A store in a process of its own, to be killed or given a bad disk. Does the ticket path again and again; prints `n` once winner n was acknowledged, and how it ends. */
import { isBywayError } from '@byway/protocol/base'
import { bytes, openAt, opening, winner } from './records.ts'

const [folder = '', count = '0'] = process.argv.slice(2)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

try {
  const store = await openAt(folder, { onHealth: (health) => say(`health ${health}`) })
  say('open')
  for (let number = 0; number < Number(count); number++) {
    await store.openings.remember(opening(number))
    await store.openings.raiseFloor(opening(number).nullifier, 128)
    // Goes with the winner: alone it would wait for more of its kind.
    const spent = store.spentTokens.spend(bytes('token key', 8), bytes(`nonce ${number}`, 32))
    await store.winners.add(winner(number))
    await spent
    say(String(number))
  }
  await store[Symbol.asyncDispose]()
  say('closed')
} catch (error) {
  say(isBywayError(error) ? error.code : String(error))
  process.exit(isBywayError(error) && error.code === 'STORE_FAILED' ? 74 : 1)
}
