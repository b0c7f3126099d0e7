/**
 * The schema, version by version (`user_version`). A step that has been published is never changed; a new one is added below. Every table of `tables.ts` has
 * a place in the order (`sequence`), a count of its table's writes (`revision`) and a MAC.
 */

const FIRST = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE tally (
  name TEXT PRIMARY KEY, rows INTEGER NOT NULL, next INTEGER NOT NULL, revision INTEGER NOT NULL, mixed BLOB NOT NULL, mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE commit_key (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  epoch INTEGER NOT NULL UNIQUE, secret BLOB NOT NULL, made_ms INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT;
CREATE TABLE opening (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  nullifier BLOB NOT NULL UNIQUE, opening BLOB NOT NULL, session_key BLOB NOT NULL, key_epoch INTEGER NOT NULL, floor INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT;
CREATE INDEX opening_seen ON opening (seen_ms);
CREATE TABLE winner (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  nullifier BLOB NOT NULL, ticket INTEGER NOT NULL, opening BLOB NOT NULL, provider BLOB NOT NULL, amount TEXT NOT NULL, nonce BLOB NOT NULL,
  reveal BLOB NOT NULL, signature BLOB NOT NULL, received_ms INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT, carrier TEXT,
  changed_ms INTEGER NOT NULL,
  mac BLOB NOT NULL, UNIQUE (nullifier, ticket)
) STRICT;
CREATE INDEX winner_state ON winner (state);
CREATE TABLE hand_over (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  side TEXT NOT NULL, id BLOB NOT NULL, peer BLOB NOT NULL, body BLOB NOT NULL, deadline_s INTEGER NOT NULL, stored_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  mac BLOB NOT NULL, UNIQUE (side, id, peer)
) STRICT;
CREATE INDEX hand_over_state ON hand_over (side, state);
CREATE TABLE slot (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  nullifier BLOB NOT NULL UNIQUE, hop TEXT NOT NULL, use TEXT NOT NULL, standing TEXT NOT NULL, shown_s INTEGER NOT NULL, opening BLOB NOT NULL,
  floor INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT;
CREATE TABLE token (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  node BLOB NOT NULL, kind INTEGER NOT NULL, key_id BLOB NOT NULL, nonce BLOB NOT NULL, token BLOB NOT NULL, not_after_ms INTEGER NOT NULL,
  mac BLOB NOT NULL, UNIQUE (node, nonce)
) STRICT;
CREATE TABLE counter (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE, value TEXT NOT NULL,
  mac BLOB NOT NULL
) STRICT;
CREATE TABLE ledger (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  id TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL, body TEXT NOT NULL,
  mac BLOB NOT NULL
) STRICT;
CREATE TABLE raw_transaction (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  account BLOB NOT NULL, nonce INTEGER NOT NULL, purpose TEXT NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL,
  mac BLOB NOT NULL, UNIQUE (account, nonce)
) STRICT;
CREATE UNIQUE INDEX raw_transaction_purpose ON raw_transaction (account, purpose) WHERE state = 'pending';
CREATE INDEX raw_transaction_pending ON raw_transaction (account, state);
CREATE TABLE spent_key (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  key_id BLOB NOT NULL UNIQUE, tags INTEGER NOT NULL, mixed BLOB NOT NULL, is_damaged INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT;
CREATE TABLE token_key (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  kind INTEGER NOT NULL, day INTEGER NOT NULL, key_id BLOB NOT NULL UNIQUE, private_key BLOB NOT NULL,
  mac BLOB NOT NULL
) STRICT;
CREATE TABLE balance (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  nullifier BLOB NOT NULL UNIQUE, units INTEGER NOT NULL, paid_ms INTEGER NOT NULL, admission_day INTEGER NOT NULL, admissions INTEGER NOT NULL,
  last_sales BLOB NOT NULL,
  mac BLOB NOT NULL
) STRICT;
CREATE TABLE spent (key INTEGER NOT NULL, tag BLOB NOT NULL, PRIMARY KEY (key, tag)) STRICT, WITHOUT ROWID;
`

const RECEIPTS = `
CREATE TABLE receipt (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  nullifier BLOB NOT NULL, epoch INTEGER NOT NULL, units INTEGER NOT NULL, public_key BLOB NOT NULL, signature BLOB NOT NULL,
  mac BLOB NOT NULL, UNIQUE (nullifier, epoch)
) STRICT;
CREATE INDEX receipt_epoch ON receipt (epoch);
`

const MADE_OPENINGS = `
CREATE TABLE made_opening (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  nullifier BLOB NOT NULL UNIQUE, opening BLOB NOT NULL,
  mac BLOB NOT NULL
) STRICT;
`

const RETURNS = `
CREATE TABLE slot_return (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  nullifier BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, owner INTEGER NOT NULL, receiver BLOB NOT NULL, state TEXT NOT NULL, due_ms INTEGER NOT NULL,
  relay TEXT, body BLOB NOT NULL,
  mac BLOB NOT NULL
) STRICT;
`

const SLOT_WORDS = `
CREATE TABLE slot_word (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  nullifier BLOB NOT NULL UNIQUE, state TEXT NOT NULL, holder BLOB NOT NULL, time_s INTEGER NOT NULL, until_ms INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT;
`

const EXIT_RECORD = `
CREATE TABLE exit_span (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  node BLOB NOT NULL, name BLOB NOT NULL, from_s INTEGER NOT NULL, until_s INTEGER NOT NULL, expires_s INTEGER NOT NULL,
  first BLOB NOT NULL, last BLOB NOT NULL, page INTEGER NOT NULL, place BLOB NOT NULL,
  mac BLOB NOT NULL, UNIQUE (node, name, from_s)
) STRICT;
CREATE INDEX exit_span_name ON exit_span (name);
CREATE INDEX exit_span_page ON exit_span (page);
CREATE TABLE exit_page (
  sequence INTEGER PRIMARY KEY, revision INTEGER NOT NULL,
  page INTEGER NOT NULL UNIQUE, head BLOB NOT NULL,
  mac BLOB NOT NULL
) STRICT;
`

/** Step n brings a store from version n to n + 1. */
export const MIGRATIONS: readonly string[] = [
  FIRST,
  RECEIPTS,
  MADE_OPENINGS,
  RETURNS,
  SLOT_WORDS,
  EXIT_RECORD,
]

/** The version that this Byway writes. */
export const SCHEMA_VERSION: number = MIGRATIONS.length
