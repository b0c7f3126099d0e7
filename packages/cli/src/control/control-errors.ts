/** What goes wrong between a command and the program that it asks or stops. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type ControlErrors = {
  /** No client, or no node, runs with this state folder. */
  CONTROL_NOT_RUNNING: { program: string }
  /** One runs already with this state folder: stop it first, or choose another folder with `--home`. */
  CONTROL_ALREADY_RUNNING: { program: string }
  /** The path of the state folder is longer than a Unix socket's may be. */
  CONTROL_PATH_TOO_LONG: { bytes: number; most: number }
  /** The program did not answer in time, or not in our words. */
  CONTROL_NO_ANSWER: { program: string }
}

export type ControlError = ErrorOf<ControlErrors>

export const controlError: ErrorBuilder<ControlErrors> = errorBuilder<ControlErrors>({
  CONTROL_NOT_RUNNING: ['network', 'not running'],
  CONTROL_ALREADY_RUNNING: ['local', 'already running with this state folder'],
  CONTROL_PATH_TOO_LONG: ['config', 'the path of the state folder is too long'],
  CONTROL_NO_ANSWER: ['local', 'the running program does not answer'],
})
