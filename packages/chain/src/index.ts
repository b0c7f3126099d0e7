/** The chain behind a port: contracts, RPC quorum, transaction lane, embedded anvil. */
export {}
