/**
 * Brands: types that differ by name although their values look alike. Only a type's parser makes one.
 * @module
 */

/** `Brand<number, 'CircuitId'>` is a number that was made as a circuit id. */
export type Brand<Value, Name extends string> = Value & { readonly __brand: Name }
