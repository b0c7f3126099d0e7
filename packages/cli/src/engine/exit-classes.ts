/** Which traffic classes an exit takes and what each costs: what its operator has agreed to, narrowed by the settings (docs/CLI.md). */
import { classPricesOf, consentError, type Consent, type NodeOptions } from '@byway/node'
import { classesOf, type ClassPrices, type TrafficClass } from '@byway/protocol/wire'
import type { Config, ExitConfig } from '../config/config.ts'

/**
 * The classes of the settings, or all of the consent where they name none. Settings alone let nothing leave.
 * @throws CONSENT_CLASS for a class that was not agreed to
 */
export function exitClasses(
  { classes }: Pick<ExitConfig, 'classes'>,
  consent: Pick<Consent, 'classes'>,
): readonly TrafficClass[] {
  if (classes.length === 0) return consent.classes
  const other = classes.find((each) => !consent.classes.includes(each))
  if (other !== undefined) throw consentError('CONSENT_CLASS', { trafficClass: other })
  return classes
}

/** What the exit role is made with. */
export function exitRole(
  { exit }: Pick<Config, 'exit'>,
  classes: readonly TrafficClass[],
): NonNullable<NodeOptions['exit']> {
  const { profile, datagrams, ipv6, denyPrefixes, denyNames } = exit
  return {
    profile,
    datagrams,
    ipv6,
    denyPrefixes,
    denyNames,
    classes,
    classPrices: { browse: exit.browsePrice || undefined, collect: exit.collectPrice || undefined },
  }
}

/** What the classes cost in a network where nodes are paid, or in one where nothing is. @throws NODE_EXIT_CLASS */
export function exitPrices(
  config: Pick<Config, 'exit' | 'node'>,
  classes: readonly TrafficClass[],
  isPaid: boolean,
): ClassPrices {
  return classPricesOf(exitRole(config, classes), isPaid ? config.node.priceStep : undefined)
}

/** `browse at price step 4, collect at 8`; without prices where nothing is paid. */
export function classesText(prices: ClassPrices, isPaid: boolean): string {
  return classesOf(prices)
    .map((each) => (isPaid ? `${each} at price step ${prices[each]}` : each))
    .join(', ')
}
