pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";

// u256(SHA-256("byway rest v1")) >> 8: stands where a pool's domain stands in the nullifiers of slots, so that a rest is never a slot.
function REST() {
  return 407310149974388328183985225832707784660905919178918702734588032671651974648;
}

// The leaf of a secret and a limit (SPEC §13.2). Three inputs, where a node of the tree has two: no leaf passes for a node.
template Leaf() {
  signal input secret;
  signal input limit;
  signal input tag;
  signal output leaf;

  signal idc <== Poseidon(1)([secret]);
  leaf <== Poseidon(3)([idc, limit, tag]);
}

// Which units of a leaf make slots: limit = count · unitsPerSlot + units, with fewer units than a slot has. unitsPerSlot is below 2^16 and not zero: the
// verifier knows it. With 16 bits each, nothing wraps round.
template WholeSlots() {
  signal input limit;
  signal input count;
  signal input units;
  signal input unitsPerSlot;

  _ <== Num2Bits(16)(count);
  _ <== Num2Bits(16)(units);
  signal isRest <== LessThan(16)([units, unitsPerSlot]);
  isRest === 1;
  count * unitsPerSlot + units === limit;
}
