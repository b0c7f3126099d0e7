/** What each verb does to the tables. */
import type { Given, Operation, Verb } from '../operation.ts'
import type { TableSet } from './table-set.ts'

/** Does one operation inside the caller's transaction. */
export function perform(tables: TableSet, operation: Operation): Given<Verb> {
  const table = tables.table(operation.table === 'spent' ? 'spent_key' : operation.table)
  switch (operation.verb) {
    case 'insert':
      return table.insert(operation.row)
    case 'put':
      return table.put(operation.row)
    case 'change':
      return table.change(operation.key, operation.set, operation.when)
    case 'raise':
      return table.raise(operation.key, operation.column, operation.value)
    case 'add':
      return table.add(operation.key, operation.column, operation.value)
    case 'get':
      return table.get(operation.key)
    case 'list':
      return table.list(operation.when, operation.after, operation.limit)
    case 'take':
      return table.take(operation.when, operation.limit)
    case 'remove':
      return table.remove(operation.when)
    case 'spend':
      return tables.spent.spend(operation.key, operation.tag)
    case 'forgetSpent':
      return tables.spent.forget(operation.key)
    case 'damagedSpent':
      return tables.spent.damagedKeys()
  }
}

/** True for what would want more writes later: refused while the disk is full, so that what is under way still fits. */
export function beginsWork(tables: TableSet, operation: Operation): boolean {
  return operation.verb === 'insert' && tables.table(operation.table).shape.beginsWork
}
