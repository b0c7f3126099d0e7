/** `byway exit show`: what the operator has agreed to, and what the exit would ask for it with the settings as they are. */
import type { Command } from 'commander'
import { openHome } from '@byway/home'
import { readConsent, type ConsentState } from '@byway/node'
import { TRAFFIC_CLASSES } from '@byway/protocol/wire'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { homePath } from '../config/home-path.ts'
import { loadConfig } from '../config/load-config.ts'
import { classesText, exitClasses, exitPrices } from '../engine/exit-classes.ts'
import type { CliIo } from '../io.ts'

export function addShowCommand(group: Command, io: CliIo): void {
  addCommand(group, {
    usage: 'show',
    summary: 'show what you have agreed to, and what the exit takes and asks for it',
    details:
      'Prices are those of a network with payment; the settings `[exit]` and `[node]` name them.',
    examples: ['byway exit show', 'byway exit show --json'],
  }).action((_options: object, command: Command) => showExit(contextOf(command, io)))
}

/** Shows it. @throws CONSENT_CLASS for settings beyond the consent, NODE_EXIT_CLASS for a class that costs too little */
export async function showExit({ io, output }: CommandContext): Promise<void> {
  const home = homePath(io.env)
  await openHome(home)
  const found = await readConsent(home, io.nowMs())
  if (found.state !== 'given') {
    output.result({ exit: 'disabled', consent: found.state }, WHY_NOT[found.state])
    return
  }
  const { agreedAtMs, expiresAtMs, classes: agreed, scope } = found.consent
  const config = await loadConfig({ env: io.env, flags: {} })
  const classes = exitClasses(config.exit, found.consent)
  const prices = exitPrices(config, classes, true)
  const [since, until] = [agreedAtMs, expiresAtMs].map((atMs) => new Date(atMs).toISOString())
  const missing = TRAFFIC_CLASSES.filter((each) => !agreed.includes(each))
  const lines = [
    `exit enabled until ${until}${scope === 'local' ? ', in a network on this machine alone' : ''}`,
    `agreed to: ${agreed.join(', ')}`,
    `takes: ${classesText(prices, true)}`,
    ...missing.map((each) => `not agreed to: ${each} (\`byway exit enable\` asks again)`),
  ]
  output.result(
    {
      exit: 'enabled',
      consent: 'given',
      scope,
      agreedAt: since ?? null,
      expiresAt: until ?? null,
      agreed: [...agreed],
      classes: Object.fromEntries(classes.map((each) => [each, prices[each] ?? null])),
    },
    lines.join('\n'),
  )
}

const WHY_NOT = {
  none: 'exit not enabled: `byway exit enable` asks for your consent',
  expired: 'exit not enabled: your consent is older than twelve months',
  'text-changed': 'exit not enabled: the text has changed since you agreed',
  unreadable: 'exit not enabled: the record of your consent cannot be read',
} as const satisfies Record<Exclude<ConsentState['state'], 'given'>, string>
