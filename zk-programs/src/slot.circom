pragma circom 2.2.0;

// The slot proof (SPEC §13.2, DESIGN §7.1).
//
// In words: "I know the secret of a leaf under this root; slot j lies within the leaf's limit; this is that slot's nullifier; and I mean this x."
//
//   public   root             of the tree, as published: which deposits there are
//            nullifier        Poseidon3(secret, domain, j): one for each slot, so that a slot is used once; tells nothing of the leaf
//            domain           of the pool: no nullifier serves two pools
//            x                hash of the session key: whoever holds that key, and nobody else, may use the slot
//            tag              of the profile (V, K, b): a leaf of one profile opens no slot of another
//            unitsPerSlot     S / b of that profile, below 2^16
//   private  secret           of the deposit: reveals every slot of it
//            limit            bond units of the deposit: would tell deposits apart by size
//            j                which slot: would tell how far a deposit is used up
//            active, isRight, siblings   the leaf's place in the tree
//
// Guards against:
//   - a leaf that passes for a node, or a node for a leaf (a depositor of one unit proved slot 65534 that way): the leaf's hash has three inputs
//   - a limit or a slot number near the field's order, whose product with unitsPerSlot wraps round: both have 32 bits
//   - a slot that reaches over the end of the deposit: its last unit is compared, not its first
//   - another x under the same proof: x stands in a constraint, though nothing else depends on it

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "../lib/lean-imt.circom";

template Slot(MAX_DEPTH) {
  signal input domain;
  signal input x;
  signal input tag;
  signal input unitsPerSlot;
  signal input secret;
  signal input limit;
  signal input j;
  signal input active[MAX_DEPTH];
  signal input isRight[MAX_DEPTH];
  signal input siblings[MAX_DEPTH];
  signal output root;
  signal output nullifier;

  signal idc <== Poseidon(1)([secret]);
  signal leaf <== Poseidon(3)([idc, limit, tag]);
  root <== LeanImtRoot(MAX_DEPTH)(leaf, active, isRight, siblings);

  // limit and j have 32 bits, unitsPerSlot has 16: the product has at most 49.
  _ <== Num2Bits(32)(limit);
  _ <== Num2Bits(32)(j);
  signal slotEnd <== (j + 1) * unitsPerSlot;
  signal fits <== LessEqThan(49)([slotEnd, limit]);
  fits === 1;

  nullifier <== Poseidon(3)([secret, domain, j]);

  // An input that stands in no constraint could be exchanged in a finished proof.
  signal xSquare <== x * x;
}

component main { public [domain, x, tag, unitsPerSlot] } = Slot(26);
