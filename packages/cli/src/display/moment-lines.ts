/** What holds of a node for a while, as `byway node score` says it: on top of all else that makes its weight. */
import type { NodeMoment, NodeScore } from '@byway/client'
import type { ScoreLine } from './score-line.ts'

/** Says why the client takes others first just now, and until when. */
export function momentLines({
  moment: { absence, standing, payment, isLastGuard },
}: NodeScore): readonly ScoreLine[] {
  const words = PAYMENT[standing]
  return [
    ...(absence < 1 ? [{ reason: 'absent' as const, factor: absence, ...ABSENT }] : []),
    ...(words ? [{ reason: 'payment' as const, factor: payment, ...words }] : []),
    ...(isLastGuard ? [{ reason: 'last-guard' as const, factor: 1, ...LAST_GUARD }] : []),
  ]
}

type Words = Pick<ScoreLine, 'evidence' | 'remedy'>

const ABSENT: Words = {
  evidence:
    'circuits have just not reached it, or it said that it stops: it is taken where nobody else will do',
  remedy:
    'keep it running and reachable: this ends with the first circuit that reaches it, or after half a minute to ten',
}

const LAST_GUARD: Words = {
  evidence:
    "of the client's guards it is used last: clearly more circuits fail behind it than behind the others, or clearly less comes through it",
  remedy:
    'see to its line and to what it forwards to; what was seen counts half as much after 12 hours',
}

const PAYMENT: Readonly<Record<NodeMoment['standing'], Words | undefined>> = {
  usual: undefined,
  left: {
    evidence:
      'it took pay and did not serve for it, or did not sell when it was asked to: it is left alone',
    remedy:
      'serve what is paid for, at the price in the descriptor; this ends after a minute, and after six hours where it comes again',
  },
  'too-dear': {
    evidence: 'it asks for more than the client pays for its class of traffic',
    remedy:
      'ask for less (--price, --browse-price, --collect-price); who uses the client may raise --max-price',
  },
  'no-slot': {
    evidence: 'the client has no slot of its deposit left to pay it with',
    remedy:
      "nothing that its operator could do: the client's deposit is used up (byway wallet show)",
  },
  beyond: {
    evidence:
      'the client pays six other nodes, each of which takes a slot of its deposit, and goes to more where those will not do',
    remedy: '',
  },
}
