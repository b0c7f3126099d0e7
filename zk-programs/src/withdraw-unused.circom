pragma circom 2.2.0;

// The withdrawal proof (SPEC §14.4, DESIGN §7.1): what a deposit has left that nobody was shown.
//
// In words: "I know the secret of a leaf under this root; these are the nullifiers of up to sixteen of its slots, and, if I say so, of the units at its end that
// make no slot, of which there are so many; and I mean this x."
//
//   public   root             of the tree, as published
//            nullifiers       Poseidon3(secret, domain, j) of each slot, 0 for a place that is not used: the contract takes each once. They stand in one proof, so
//                             everybody sees that these slots are of one deposit; they were never used, and go to one receiver in any case
//            rest             Poseidon3(secret, REST, 0), or 0: the nullifier of the units at the end
//            restUnits        how many they are, or 0: the contract pays them, so it has to be known
//            domain           of the pool: no nullifier of a slot serves two pools
//            x                hash of the receiver: whoever passes the proof on cannot have the money
//            tag              of the profile (V, K, b)
//            unitsPerSlot     S / b of that profile, below 2^16
//   private  secret           of the deposit
//            limit            bond units of the deposit: would tell deposits apart by size
//            slotCount        how many slots it has
//            restCount        units beyond them
//            js, isUsed, isRestUsed   which slots, and whether the rest: numbers would tell how far a deposit is used up
//            active, isRight, siblings   the leaf's place in the tree
//
// Guards against:
//   - a slot beyond the deposit, or a rest that holds units of a slot: limit = slotCount · unitsPerSlot + restCount with restCount below one slot, all of 16 bits
//   - one slot twice: both give the same nullifier, and the contract takes each once
//   - a place that is said to be unused and still counts: nullifier and units are multiplied by the same bit
//   - a nullifier of a slot that passes for the rest's: REST is no pool's domain
//   - a leaf that passes for a node, or a node for a leaf: the leaf's hash has three inputs
//
// What it cannot see: whether a slot was shown to somebody. The contract waits for that, and a provider who was may still bind.

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "../lib/leaf.circom";
include "../lib/lean-imt.circom";

template UnusedSlot() {
  signal input secret;
  signal input domain;
  signal input slotCount;
  signal input j;
  signal input isUsed;
  signal output nullifier;

  isUsed * (isUsed - 1) === 0;
  _ <== Num2Bits(16)(j);
  signal exists <== LessThan(16)([j, slotCount]);
  isUsed * (1 - exists) === 0;
  signal own <== Poseidon(3)([secret, domain, j]);
  nullifier <== isUsed * own;
}

template WithdrawUnused(SLOTS, MAX_DEPTH) {
  signal input domain;
  signal input x;
  signal input tag;
  signal input unitsPerSlot;
  signal input secret;
  signal input limit;
  signal input slotCount;
  signal input restCount;
  signal input js[SLOTS];
  signal input isUsed[SLOTS];
  signal input isRestUsed;
  signal input active[MAX_DEPTH];
  signal input isRight[MAX_DEPTH];
  signal input siblings[MAX_DEPTH];
  signal output root;
  signal output nullifiers[SLOTS];
  signal output rest;
  signal output restUnits;

  signal leaf <== Leaf()(secret, limit, tag);
  root <== LeanImtRoot(MAX_DEPTH)(leaf, active, isRight, siblings);
  WholeSlots()(limit, slotCount, restCount, unitsPerSlot);

  for (var i = 0; i < SLOTS; i++) {
    nullifiers[i] <== UnusedSlot()(secret, domain, slotCount, js[i], isUsed[i]);
  }

  isRestUsed * (isRestUsed - 1) === 0;
  signal restNullifier <== Poseidon(3)([secret, REST(), 0]);
  rest <== isRestUsed * restNullifier;
  restUnits <== isRestUsed * restCount;

  // An input that stands in no constraint could be exchanged in a finished proof.
  signal xSquare <== x * x;
}

component main { public [domain, x, tag, unitsPerSlot] } = WithdrawUnused(16, 26);
