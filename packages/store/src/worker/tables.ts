/** The tables as the worker sees them. Their SQL is in `migrations.ts`; a test holds the two together. */

/** What a column holds; `?` where it may be null. */
export type ColumnType = 'blob' | 'int' | 'text' | 'int?' | 'text?'

export type TableShape = {
  readonly name: string
  /** In the order in which the MAC takes them. */
  readonly columns: Readonly<Record<string, ColumnType>>
  /** Columns that name a row. */
  readonly key: readonly string[]
  /** A fresh row begins something that will want more writes: refused while the disk is full. */
  readonly beginsWork: boolean
}

export const TABLES: readonly TableShape[] = [
  {
    name: 'commit_key',
    columns: { epoch: 'int', secret: 'blob', made_ms: 'int' },
    key: ['epoch'],
    beginsWork: true,
  },
  {
    name: 'opening',
    columns: {
      nullifier: 'blob',
      opening: 'blob',
      session_key: 'blob',
      key_epoch: 'int',
      floor: 'int',
      seen_ms: 'int',
    },
    key: ['nullifier'],
    beginsWork: true,
  },
  {
    name: 'winner',
    columns: {
      nullifier: 'blob',
      ticket: 'int',
      opening: 'blob',
      provider: 'blob',
      amount: 'text',
      nonce: 'blob',
      reveal: 'blob',
      signature: 'blob',
      received_ms: 'int',
      state: 'text',
      reason: 'text?',
      carrier: 'text?',
      changed_ms: 'int',
    },
    key: ['nullifier', 'ticket'],
    beginsWork: false,
  },
  {
    name: 'hand_over',
    columns: {
      side: 'text',
      id: 'blob',
      peer: 'blob',
      body: 'blob',
      deadline_s: 'int',
      stored_ms: 'int',
      state: 'text',
    },
    key: ['side', 'id', 'peer'],
    beginsWork: true,
  },
  {
    name: 'slot',
    columns: {
      nullifier: 'blob',
      hop: 'text',
      use: 'text',
      standing: 'text',
      shown_s: 'int',
      opening: 'blob',
      floor: 'int',
    },
    key: ['nullifier'],
    beginsWork: true,
  },
  {
    name: 'token',
    columns: {
      node: 'blob',
      kind: 'int',
      key_id: 'blob',
      nonce: 'blob',
      token: 'blob',
      not_after_ms: 'int',
    },
    key: ['node', 'nonce'],
    beginsWork: false,
  },
  { name: 'counter', columns: { name: 'text', value: 'text' }, key: ['name'], beginsWork: false },
  {
    name: 'ledger',
    columns: { id: 'text', at_ms: 'int', body: 'text' },
    key: ['id'],
    beginsWork: false,
  },
  {
    name: 'raw_transaction',
    columns: { account: 'blob', nonce: 'int', purpose: 'text', state: 'text', body: 'text' },
    key: ['account', 'nonce'],
    beginsWork: false,
  },
  {
    name: 'spent_key',
    columns: { key_id: 'blob', tags: 'int', mixed: 'blob', is_damaged: 'int' },
    key: ['key_id'],
    beginsWork: false,
  },
  {
    name: 'token_key',
    columns: { kind: 'int', day: 'int', key_id: 'blob', private_key: 'blob' },
    key: ['key_id'],
    beginsWork: true,
  },
  {
    name: 'balance',
    columns: {
      nullifier: 'blob',
      units: 'int',
      paid_ms: 'int',
      admission_day: 'int',
      admissions: 'int',
      last_sales: 'blob',
    },
    key: ['nullifier'],
    beginsWork: false,
  },
  {
    name: 'slot_return',
    columns: {
      nullifier: 'blob',
      kind: 'text',
      owner: 'int',
      receiver: 'blob',
      state: 'text',
      due_ms: 'int',
      relay: 'text?',
      body: 'blob',
    },
    key: ['nullifier'],
    beginsWork: true,
  },
  {
    name: 'receipt',
    columns: {
      nullifier: 'blob',
      epoch: 'int',
      units: 'int',
      public_key: 'blob',
      signature: 'blob',
    },
    key: ['nullifier', 'epoch'],
    beginsWork: true,
  },
  {
    name: 'made_opening',
    columns: { nullifier: 'blob', opening: 'blob' },
    key: ['nullifier'],
    beginsWork: true,
  },
  {
    name: 'slot_word',
    columns: {
      nullifier: 'blob',
      state: 'text',
      holder: 'blob',
      time_s: 'int',
      until_ms: 'int',
    },
    key: ['nullifier'],
    beginsWork: false,
  },
  {
    name: 'exit_span',
    columns: {
      node: 'blob',
      name: 'blob',
      from_s: 'int',
      until_s: 'int',
      expires_s: 'int',
      first: 'blob',
      last: 'blob',
      page: 'int',
      place: 'blob',
    },
    key: ['node', 'name', 'from_s'],
    beginsWork: true,
  },
  {
    name: 'exit_page',
    columns: { page: 'int', head: 'blob' },
    key: ['page'],
    beginsWork: true,
  },
]
