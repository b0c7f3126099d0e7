/** The double-entry ledger. */
export {}
