/** The state folder and the files in it that only their owner may read. */
export { homeError } from './home-errors.ts'
export type { HomeError } from './home-errors.ts'
export { openHome, readPrivateFile, removePrivateFile, writePrivateFile } from './private-files.ts'
