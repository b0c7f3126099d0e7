/** The zero-knowledge programs. @module */

/** The programs of `zk-programs/`. */
export type ProgramName = 'slot' | 'withdraw-unused' | 'join' | 'service-audit'
