/**
 * How much may be under way on a link (SPEC §8.4): the sender's half of link credit.
 *
 * The estimate works as BBR's does: the delivery rate is the largest seen lately, the round trip the smallest, both taken from
 * the peer's reports of bytes read, so that bytes wait in our queues, where the scheduler can choose, and not in the kernel's.
 * It does not choose cells and does not send.
 * @module
 */

// Local limits (tunable): they shape our own sending only.
const MIN_LIMIT_BYTES = 32 * 1024
const START_LIMIT_BYTES = 64 * 1024
/** Beyond this the kernel's buffers are of no use to anybody: 4 MiB is 40 ms at 100 MB/s. */
const MAX_LIMIT_BYTES = 4 * 1024 * 1024
/** Queue allowed in the network: enough for the reports' own rhythm, a third of the 30 ms a PING may lose. */
const QUEUE_ALLOWANCE_MS = 10
/** BBR's start-up gain, 2/ln 2: the smallest that doubles the rate each round. */
const START_GAIN = 2.89
/** One round trip in twelve asks for an eighth more, after BBR: a limit made of the rate would else never see a line that got faster. */
const PROBE_GAIN = 1.125
const PROBE_EVERY_ROUNDS = 12
const RATE_BUCKET_MS = 1000
const RTT_LIFE_MS = 10_000
/** Start-up is over when the rate has not grown by a quarter in three rounds. */
const FULL_PIPE_ROUNDS = 3
/** SPEC §8.4: what the peer may leave unreported as long as nothing more comes. */
const SILENT_BYTES = 16 * 1024
/** Besides a round trip: time for the last of those bytes to be read, at 10 Mbit/s 13 ms. */
const PROBE_PATIENCE_MS = 20
/** Samples closer together than this tell nothing new and only cost memory. */
const SAMPLE_SPACING_BYTES = 8 * 1024
const MAX_SAMPLES = 1024

type Sample = {
  /** Total bytes sent when the sample's last byte went out. */
  readonly sentBytes: number
  readonly sentAtMs: number
  readonly ackedBytes: number
  readonly ackedAtMs: number
  /** Nothing more was waiting: a low rate here says nothing about the link. */
  readonly isAppLimited: boolean
}

/** Sender's half of link credit. Byte counts are whole cells. */
export interface CreditSender {
  /** Bytes sent and not yet reported read. */
  readonly outstandingBytes: number
  readonly limitBytes: number
  /** Delivery rate, bytes per millisecond; 0 before the first report. */
  readonly ratePerMs: number
  /** Smallest round trip of late, milliseconds; 0 before the first report. */
  readonly rttMs: number
  /** When the peer last reported progress, or when sending began after an idle spell. */
  readonly progressAtMs: number
  /** When {@link CreditSender.maySend} will say yes without another report; infinite when only a report helps. */
  readonly wakeAtMs: number
  /** True when a cell of this size may go; a single one always may. */
  maySend(bytes: number, nowMs: number): boolean
  onSent(bytes: number, nowMs: number, isLast: boolean): void
  /** Takes the peer's count modulo 2^32; false when it runs backwards or ahead of what was sent. */
  onReport(readBytes: number, nowMs: number): boolean
}

/** Creates the estimator of one link. */
export function createCreditSender(nowMs: number): CreditSender {
  return new Estimator(nowMs)
}

class Estimator implements CreditSender {
  limitBytes = START_LIMIT_BYTES
  progressAtMs: number
  #sentBytes = 0
  #ackedBytes = 0
  #ackedAtMs: number
  #lastSampleBytes = 0
  readonly #samples: Sample[] = []
  #head = 0

  readonly #rate = new WindowedMax(RATE_BUCKET_MS)
  #minRttMs = 0
  #minRttAtMs = 0
  /** While set, the link is drained to see the round trip without our own queue; ends when this total is reported. */
  #probeUntilBytes = 0

  #isStarting = true
  #rounds = 0
  #roundEndBytes = 0
  #fullRate = 0
  #fullRounds = 0

  constructor(nowMs: number) {
    this.#ackedAtMs = nowMs
    this.progressAtMs = nowMs
    this.#minRttAtMs = nowMs
  }

  get outstandingBytes(): number {
    return this.#sentBytes - this.#ackedBytes
  }

  get ratePerMs(): number {
    return this.#rate.value
  }

  get rttMs(): number {
    return this.#minRttMs
  }

  /** SPEC §8.4: a probe MUST NOT wait for the report of fewer than 16 KiB, which need not come. */
  get wakeAtMs(): number {
    const isProbing = this.#probeUntilBytes > 0
    if (!isProbing || this.outstandingBytes >= SILENT_BYTES) return Number.POSITIVE_INFINITY
    return this.progressAtMs + this.#minRttMs + PROBE_PATIENCE_MS
  }

  maySend(bytes: number, nowMs: number): boolean {
    const outstanding = this.#sentBytes - this.#ackedBytes
    if (outstanding === 0 || outstanding + bytes <= this.limitBytes) return true
    return nowMs >= this.wakeAtMs
  }

  onSent(bytes: number, nowMs: number, isLast: boolean): void {
    if (this.#sentBytes === this.#ackedBytes) {
      this.#ackedAtMs = nowMs
      this.progressAtMs = nowMs
    }
    this.#sentBytes += bytes
    const isSpaced = this.#sentBytes - this.#lastSampleBytes >= SAMPLE_SPACING_BYTES
    const isProbe = this.#probeUntilBytes > this.#lastSampleBytes
    if ((isSpaced || isLast || isProbe) && this.#samples.length - this.#head < MAX_SAMPLES) {
      this.#lastSampleBytes = this.#sentBytes
      this.#samples.push({
        sentBytes: this.#sentBytes,
        sentAtMs: nowMs,
        ackedBytes: this.#ackedBytes,
        ackedAtMs: this.#ackedAtMs,
        isAppLimited: isLast && this.outstandingBytes < this.limitBytes / 2,
      })
    }
  }

  onReport(readBytes: number, nowMs: number): boolean {
    const advance = (readBytes - this.#ackedBytes) >>> 0
    if (advance === 0) return true
    if (advance > this.#sentBytes - this.#ackedBytes) return false
    this.#ackedBytes += advance
    this.#ackedAtMs = nowMs
    this.progressAtMs = nowMs
    const sample = this.#takeSample()
    if (sample) this.#learn(sample, nowMs)
    this.#setLimit(advance)
    return true
  }

  /** The newest sample that the report covers; older ones go with it. */
  #takeSample(): Sample | undefined {
    let found: Sample | undefined
    while (this.#head < this.#samples.length) {
      const sample = this.#samples[this.#head]
      if (!sample || sample.sentBytes > this.#ackedBytes) break
      found = sample
      this.#head++
    }
    if (this.#head === this.#samples.length || this.#head > MAX_SAMPLES) {
      this.#samples.splice(0, this.#head)
      this.#head = 0
    }
    return found
  }

  #learn(sample: Sample, nowMs: number): void {
    const rttMs = nowMs - sample.sentAtMs
    this.#learnRtt(rttMs, sample.sentBytes, nowMs)
    const spanMs = Math.max(nowMs - sample.ackedAtMs, 0.05)
    const rate = (this.#ackedBytes - sample.ackedBytes) / spanMs
    if (!sample.isAppLimited || rate > this.#rate.value) this.#rate.add(rate, nowMs)
    if (this.#ackedBytes >= this.#roundEndBytes) this.#endRound(sample.isAppLimited)
  }

  #learnRtt(rttMs: number, sampleBytes: number, nowMs: number): void {
    const isProbed = this.#probeUntilBytes > 0 && sampleBytes >= this.#probeUntilBytes
    if (isProbed || this.#minRttMs === 0 || rttMs <= this.#minRttMs) {
      this.#minRttMs = rttMs
      this.#minRttAtMs = nowMs
      this.#probeUntilBytes = 0
    } else if (this.#probeUntilBytes === 0 && nowMs - this.#minRttAtMs > RTT_LIFE_MS) {
      // What is under way still has our queue in front of it; the first cell sent after it sees the bare link.
      this.#probeUntilBytes = this.#sentBytes + 1
    }
  }

  #endRound(isAppLimited: boolean): void {
    this.#roundEndBytes = this.#sentBytes
    this.#rounds++
    if (!this.#isStarting || isAppLimited) return
    if (this.#rate.value >= this.#fullRate * 1.25) {
      this.#fullRate = this.#rate.value
      this.#fullRounds = 0
    } else if (++this.#fullRounds >= FULL_PIPE_ROUNDS) {
      this.#isStarting = false
    }
  }

  /** Rises by no more than what was just reported (twofold a round trip), so that a raised limit is not a burst. */
  #setLimit(reportedBytes: number): void {
    if (this.#probeUntilBytes > 0) {
      this.limitBytes = 0
      return
    }
    const rate = this.#rate.value
    const gain = this.#rounds % PROBE_EVERY_ROUNDS === 0 ? PROBE_GAIN : 1
    const steady = rate * (this.#minRttMs + QUEUE_ALLOWANCE_MS) * gain
    const starting = Math.max(START_LIMIT_BYTES, rate * this.#minRttMs * START_GAIN)
    const wanted = this.#isStarting ? Math.max(steady, starting) : steady
    const reachable = Math.max(this.limitBytes + reportedBytes, MIN_LIMIT_BYTES)
    this.limitBytes = Math.min(MAX_LIMIT_BYTES, reachable, Math.max(MIN_LIMIT_BYTES, wanted))
  }
}

/** Maximum over the last one to two buckets of time. */
class WindowedMax {
  readonly #bucketMs: number
  #current = 0
  #previous = 0
  #endsAtMs = 0

  constructor(bucketMs: number) {
    this.#bucketMs = bucketMs
  }

  get value(): number {
    return this.#current > this.#previous ? this.#current : this.#previous
  }

  add(value: number, nowMs: number): void {
    if (nowMs >= this.#endsAtMs) {
      this.#previous = this.#current
      this.#current = 0
      this.#endsAtMs = nowMs + this.#bucketMs
    }
    if (value > this.#current) this.#current = value
  }
}
