/** Durable money records in node:sqlite, and the ledger over them. */
export {}
