/** Tickets, slots and their digests (SPEC §13, §14). */
export {}
