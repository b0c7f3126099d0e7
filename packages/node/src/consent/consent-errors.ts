/** What goes wrong around the consent to the exit role. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type ConsentErrors = {
  /** Only a network on this machine may be given consent by a program; for any other the operator runs `byway exit enable`. */
  CONSENT_NOT_LOCAL: Record<string, never>
  /** The node was told to be an exit, but no valid consent is stored: run `byway exit enable` in a terminal. */
  CONSENT_MISSING: { state: string }
  /** Consent can be given only by a person at a terminal, outside CI. */
  CONSENT_NOT_INTERACTIVE: Record<string, never>
  /** The node was told to take a traffic class that its operator has not agreed to: run `byway exit enable` and choose it, or take it out of the settings. */
  CONSENT_CLASS: { trafficClass: string }
  /** What was typed names no traffic class; nothing was changed. */
  CONSENT_CHOICE: Record<string, never>
  /** The phrase was not typed as shown; nothing was changed. */
  CONSENT_PHRASE: Record<string, never>
}

export type ConsentError = ErrorOf<ConsentErrors>

export const consentError: ErrorBuilder<ConsentErrors> = errorBuilder<ConsentErrors>({
  CONSENT_NOT_LOCAL: ['bug', 'a program may consent only for a network on this machine'],
  CONSENT_MISSING: ['config', 'no valid consent to the exit role'],
  CONSENT_NOT_INTERACTIVE: ['config', 'consent must be typed by a person at a terminal'],
  CONSENT_CLASS: ['config', 'the operator has not agreed to this traffic class'],
  CONSENT_CHOICE: ['config', 'what was typed names no traffic class, nothing was changed'],
  CONSENT_PHRASE: ['config', 'the phrase was not typed as shown, nothing was changed'],
})
