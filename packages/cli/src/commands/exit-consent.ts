/**
 * `byway exit enable|disable`: the only way to the exit role. Enabling shows the text and wants the phrase typed by a person at a terminal;
 * no option, file or variable stands in for it. Disabling asks nothing.
 */
import type { Command } from 'commander'
import { openHome } from '@byway/home'
import {
  CONSENT_PHRASE,
  CONSENT_TEXT,
  CONSENT_TEXT_VERSION,
  consentCovers,
  consentError,
  DEFAULT_CLASSES,
  readConsent,
  removeConsent,
  writeConsent,
} from '@byway/node'
import { TRAFFIC_CLASSES, type TrafficClass } from '@byway/protocol/wire'
import { addCommand, addGroup, contextOf, type CommandContext } from '../command.ts'
import { homePath } from '../config/home-path.ts'
import type { CliIo } from '../io.ts'
import { addRecordCommand } from './exit-record.ts'
import { addShowCommand } from './exit-show.ts'

export function addExitCommands(program: Command, io: CliIo): void {
  const group = addGroup(
    program,
    'exit',
    "let strangers' traffic leave through your address, or stop it; who did when",
  )
  addCommand(group, {
    usage: 'enable',
    summary: 'agree to the exit role, after reading what it means',
    details:
      'Needs a person at a terminal who chooses what may leave and types a phrase. The consent holds for twelve months.',
    examples: ['byway exit enable'],
  }).action((_options: object, command: Command) => enableExit(contextOf(command, io)))
  addCommand(group, {
    usage: 'disable',
    summary: 'withdraw the consent at once; a running exit stops within five seconds',
    examples: ['byway exit disable', 'byway exit disable --json'],
  }).action((_options: object, command: Command) => disableExit(contextOf(command, io)))
  addShowCommand(group, io)
  addRecordCommand(group, io)
}

/**
 * Shows the text, asks what may leave and for the phrase, and stores the consent.
 * @throws CONSENT_NOT_INTERACTIVE when nobody can be asked, CONSENT_CHOICE or CONSENT_PHRASE when something else was typed
 */
export async function enableExit({ io, output }: CommandContext): Promise<void> {
  if (!io.isInteractive) throw consentError('CONSENT_NOT_INTERACTIVE', {})
  const home = homePath(io.env)
  await openHome(home)
  const found = await readConsent(home, io.nowMs())
  if (consentCovers(found, { local: false }))
    output.say('you have agreed before; agreeing again renews it')
  if (found.state === 'text-changed') output.say('the text has changed since you agreed')
  io.writeErr(`\n${CONSENT_TEXT}\n`)
  const classes = chosenClasses(await io.ask(CLASS_QUESTION))
  const typed = await io.ask(`To agree, type: ${CONSENT_PHRASE}\n> `)
  if (typed.trim() !== CONSENT_PHRASE) throw consentError('CONSENT_PHRASE', {})
  await writeConsent(home, io.nowMs(), classes)
  output.result(
    { exit: 'enabled', textVersion: CONSENT_TEXT_VERSION, classes: [...classes] },
    `exit enabled for ${classes.join(' and ')}`,
  )
}

/** Nothing typed is the default: who only wants to go on lets the least leave. @throws CONSENT_CHOICE */
function chosenClasses(typed: string): readonly TrafficClass[] {
  const words = typed
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '' && word !== 'and')
  if (words.length === 0) return DEFAULT_CLASSES
  const isKnown = words.every((word) => TRAFFIC_CLASSES.some((each) => each === word))
  if (!isKnown) throw consentError('CONSENT_CHOICE', {})
  return TRAFFIC_CLASSES.filter((each) => words.includes(each))
}

const CLASS_QUESTION = `What may leave? Type browse, collect, or browse and collect.
Nothing typed means ${DEFAULT_CLASSES.join(' and ')}.
> `

/** Withdraws the consent. Doing it twice is no error. */
export async function disableExit({ io, output }: CommandContext): Promise<void> {
  const wasEnabled = await removeConsent(homePath(io.env))
  output.result(
    { exit: 'disabled', wasEnabled },
    wasEnabled ? 'exit disabled' : 'exit was not enabled',
  )
}
