/** What goes wrong with exit records. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type RecordErrors = {
  /** Nobody who was asked has kept a record of that time. */
  RECORD_UNKNOWN: { asked: number }
  /** The file is no evidence of an exit record. */
  RECORD_FILE: { field: string }
  /** The evidence does not hold: a part of it was changed, or its witness contradicts itself. `witness` counts from 1. */
  RECORD_FALSE: { witness: number; fault: string }
}

export type RecordError = ErrorOf<RecordErrors>

export const recordError: ErrorBuilder<RecordErrors> = errorBuilder<RecordErrors>({
  RECORD_UNKNOWN: ['network', 'nobody who was asked has a record of that time'],
  RECORD_FILE: ['config', 'the file is no evidence of an exit record'],
  RECORD_FALSE: ['peer', 'the evidence does not hold'],
})
