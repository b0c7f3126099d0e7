/** A doubt about a service proof, taken to the chain, and the answer to one (SPEC §17.5). What a person is asked before is the command's business. */
import { createProofCalls, createProofsView, type ProofsView, type ProofTimes } from '@byway/chain'
import { findProviderOf, type DirectoryQuery } from '@byway/client'
import type { ServiceProof } from '@byway/zk'
import { openSender, type PaidNetwork, type Wallet } from '../wallet/open-wallet.ts'
import { walletError } from '../wallet/wallet-errors.ts'
import { checkCommitment } from './judge-proof.ts'
import { proofError } from './proof-errors.ts'

/** What can be done about a commitment now. */
export type ChallengeStep =
  /** Nobody has asked for its proof yet. */
  | { readonly step: 'challenge'; readonly epoch: number; readonly bond: bigint }
  /** Somebody has, and there was no answer in time: the stake is taken by whoever says so. */
  | { readonly step: 'slash'; readonly epoch: number }

type Contract = {
  readonly proofs: ProofsView
  readonly address: Uint8Array
  readonly epochS: number
}

/** @throws PROOF_NO_EPOCHS where the network has no contract for them */
function contractOf({ payment, chain }: PaidNetwork): Contract {
  const { contract: address, epochS } = payment.proofs ?? {}
  if (!address || epochS === undefined) throw proofError('PROOF_NO_EPOCHS', {})
  return { proofs: createProofsView(chain.reader, address), address, epochS }
}

const PROVIDER_BYTES = 20

/** The account behind a name: itself, or what the node's descriptor says. @throws PROOF_UNKNOWN_NODE, ENTRY_UNREACHABLE, DIRECTORY_INCOMPLETE */
export async function providerOf(
  whose: Uint8Array,
  directory: () => Promise<Omit<DirectoryQuery, 'random'>>,
): Promise<Uint8Array> {
  if (whose.length === PROVIDER_BYTES) return whose
  const provider = await findProviderOf({ ...(await directory()), whose, random: Math.random })
  if (!provider) throw proofError('PROOF_UNKNOWN_NODE', {})
  return provider
}

/**
 * Says what a challenger of this provider can do: of an epoch, or of the newest in which it can do anything.
 * @throws PROOF_NO_EPOCHS, PROOF_NO_COMMITMENT, PROOF_NO_BEACON, PROOF_TOO_LATE, PROOF_CHALLENGED, PROOF_DECIDED, and what the chain throws
 */
export async function nextStep(
  network: PaidNetwork,
  provider: Uint8Array,
  epoch: number | undefined,
  signal: AbortSignal,
): Promise<ChallengeStep> {
  const { proofs, epochS } = contractOf(network)
  const { timeS } = await network.chain.view.head(signal)
  const times = await proofs.times(signal)
  const look = (of: number): Promise<ChallengeStep> =>
    stepOf(proofs, { provider, epoch: of, epochS, timeS, times }, signal)
  if (epoch !== undefined) return await look(epoch)
  const newest = Math.floor(timeS / epochS) - 1
  const oldest = Math.max(0, newest - Math.ceil((endOfAnswers(times) + epochS) / epochS))
  let why: unknown
  for (let each = newest; each >= oldest; each--) {
    try {
      return await look(each)
    } catch (error) {
      signal.throwIfAborted()
      // What stands against the newest commitment says most.
      if (!isNone(error)) why ??= error
    }
  }
  throw why instanceof Error ? why : proofError('PROOF_NO_COMMITMENT', { epoch: newest })
}

type Place = {
  readonly provider: Uint8Array
  readonly epoch: number
  readonly epochS: number
  readonly timeS: number
  readonly times: ProofTimes
}

async function stepOf(
  proofs: ProofsView,
  { provider, epoch, epochS, timeS, times }: Place,
  signal: AbortSignal,
): Promise<ChallengeStep> {
  const { state, challengedAtS } = await proofs.commitment(provider, epoch, signal)
  if (state === 'none') throw proofError('PROOF_NO_COMMITMENT', { epoch })
  if (state === 'challenged') {
    const answerByS = challengedAtS + times.answerWindowS
    if (timeS < answerByS) throw proofError('PROOF_CHALLENGED', { epoch, answerByS })
    return { step: 'slash', epoch }
  }
  if (state !== 'committed') throw proofError('PROOF_DECIDED', { epoch, state })
  const endS = (epoch + 1) * epochS + endOfChallenges(times)
  if (timeS >= endS) throw proofError('PROOF_TOO_LATE', { epoch })
  if ((await proofs.beacon(epoch, signal)) === undefined)
    throw proofError('PROOF_NO_BEACON', { epoch })
  return { step: 'challenge', epoch, bond: times.challengeBond }
}

/** Seconds after an epoch's end. */
function endOfChallenges(times: ProofTimes): number {
  const { commitWindowS, beaconDelayS, beaconSpacingS, beaconRounds, challengeWindowS } = times
  return commitWindowS + beaconDelayS + beaconSpacingS * beaconRounds + challengeWindowS
}

function endOfAnswers(times: ProofTimes): number {
  return endOfChallenges(times) + times.answerWindowS
}

function isNone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'PROOF_NO_COMMITMENT'
}

/** Sends the step; gives the transaction's hash. @throws WALLET_NO_FUNDS, and what the sender throws */
export async function sendStep(
  wallet: Wallet,
  provider: Uint8Array,
  step: ChallengeStep,
  signal: AbortSignal,
): Promise<string> {
  const { address } = contractOf(wallet)
  const { purse, tokenCalls } = wallet
  const { view } = wallet.chainOf('funds')
  const { funds } = purse.accounts
  const calls = createProofCalls(address)
  await using sender = await openSender(wallet, 'funds', signal)
  if (step.step === 'slash') {
    const { hash } = await sender.send('slash', calls.slash(provider, step.epoch))
    return hash
  }
  if ((await view.tokenBalance(funds, signal)) < step.bond)
    throw walletError('WALLET_NO_FUNDS', { waitedS: 0 })
  if ((await view.tokenAllowance(funds, address, signal)) < step.bond)
    await sender.send('bond', tokenCalls.approve(address, step.bond))
  const { hash } = await sender.send('challenge', calls.challenge(provider, step.epoch))
  return hash
}

/** Gives a challenged commitment's published proof as its answer. @throws PROOF_DECIDED, PROOF_NO_COMMITMENT, PROOF_NOT_CHALLENGED, PROOF_FALSE for what is no answer to it, and what the sender throws */
export async function sendAnswer(
  wallet: Wallet,
  proof: ServiceProof,
  signal: AbortSignal,
): Promise<string> {
  const { proofs, address } = contractOf(wallet)
  const { provider, epoch } = proof
  const { state } = await proofs.commitment(provider, epoch, signal)
  if (state === 'none') throw proofError('PROOF_NO_COMMITMENT', { epoch })
  // Whatever was checked before: an answer about anything else is gas for nothing.
  await checkCommitment(proof, proofs, signal)
  if (state === 'committed') throw proofError('PROOF_NOT_CHALLENGED', { epoch })
  if (state !== 'challenged') throw proofError('PROOF_DECIDED', { epoch, state })
  await using sender = await openSender(wallet, 'funds', signal)
  const { hash } = await sender.send(
    'answer',
    createProofCalls(address).answer(provider, epoch, proof),
  )
  return hash
}
