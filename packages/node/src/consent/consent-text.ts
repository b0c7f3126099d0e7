/**
 * The text that an operator agrees to before strangers' traffic may leave through their address. Changing it needs a new
 * {@link CONSENT_TEXT_VERSION}, and then every operator is asked again; a test holds the two together.
 */

/** Rises with every change of {@link CONSENT_TEXT}. */
export const CONSENT_TEXT_VERSION = 2

/** What must be typed, letter for letter. */
export const CONSENT_PHRASE = 'strangers may use my address'

export const CONSENT_TEXT = `You are about to let strangers' web traffic leave through your internet connection.

What that means:
  - Websites, your provider and the police will see YOUR address behind what strangers do.
  - Strangers have used such connections for fraud, for guessing passwords and for worse. Operators of exits
    have been questioned, have had equipment taken, and have lost their internet contract.
  - Your address may end up on block lists: sites may show you captchas or refuse you.
  - Many home contracts forbid it. Whether it is lawful depends on where you live.

What Byway does about it:
  - Only web ports are open, your own network is refused, and there are limits on rates and targets.
  - It keeps no record of what strangers do, so it cannot help you to show who it was.

What may leave is yours to choose:
  - browse: people who look at pages.
  - collect: programs that gather pages, many of them and quickly. Sites like it less and block
    addresses for it sooner; you may ask more for it.
  Which of the two it is, is what strangers' programs say. Nobody can check it: who takes browse alone
  may still carry what was meant for the other.

By going on you say that
  - you are an adult,
  - this is your connection, or its owner agreed,
  - your provider's terms allow it, as far as you know.

You can stop at any time, at once: byway exit disable
You will be asked again after twelve months, or when this text changes.
A node that only relays (byway node) never shows your address to any website.
`
