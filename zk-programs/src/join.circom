pragma circom 2.2.0;

// The join proof (SPEC §14.6, DESIGN §7.1): small change made whole.
//
// In words: "I know the secrets of up to four leaves under this root; these are the nullifiers of their rests, the units at the end of each that make no slot;
// together the rests hold this many units; and I mean this x." A leaf smaller than a slot is all rest.
//
//   public   root             of the tree, as published
//            rests            Poseidon3(secret, REST, 0) of each leaf, 0 for a place that is not used: a rest is joined once; tells nothing of the leaf
//            units            of the rests together: the contract makes the new leaf of it, so it has to be known
//            x                hash of the new leaf's commitment: whoever passes the proof on cannot make the leaf another's
//            tag              of the profile (V, K, b): leaves of one profile are not joined into another's
//            unitsPerSlot     S / b of that profile, below 2^16
//   private  secrets          of the leaves
//            limits           of each: would tell deposits apart by size
//            slotCounts       how many slots each has: nor does anybody learn whether it has any
//            restCounts       units beyond them: alone they would tell slots that came back with one win from those with none
//            isUsed           which places are used
//            active, isRight, siblings   the leaves' places in the tree
//
// Guards against:
//   - units of a slot that are joined while the slot stays usable: limit = slotCount · unitsPerSlot + restCount with restCount below one slot, all of 16 bits
//   - a place that is said to be unused and still counts: nullifier and units are multiplied by the same bit, and the root is compared under it
//   - one leaf in two places: both give the same nullifier, and the contract takes each once; so it does after a withdrawal of the rest, whose nullifier this is too
//   - a nullifier of a slot that passes for a rest's: REST is no pool's domain
//   - units that wrap round: each rest has 16 bits
//   - a leaf that passes for a node, or a node for a leaf: the leaf's hash has three inputs

include "circomlib/circuits/poseidon.circom";
include "../lib/leaf.circom";
include "../lib/lean-imt.circom";

template JoinedLeaf(MAX_DEPTH) {
  signal input root;
  signal input tag;
  signal input unitsPerSlot;
  signal input secret;
  signal input limit;
  signal input slotCount;
  signal input restCount;
  signal input isUsed;
  signal input active[MAX_DEPTH];
  signal input isRight[MAX_DEPTH];
  signal input siblings[MAX_DEPTH];
  signal output rest;
  signal output units;

  isUsed * (isUsed - 1) === 0;
  WholeSlots()(limit, slotCount, restCount, unitsPerSlot);

  signal leaf <== Leaf()(secret, limit, tag);
  signal above <== LeanImtRoot(MAX_DEPTH)(leaf, active, isRight, siblings);
  isUsed * (above - root) === 0;

  signal nullifier <== Poseidon(3)([secret, REST(), 0]);
  rest <== isUsed * nullifier;
  units <== isUsed * restCount;
}

template Join(LEAVES, MAX_DEPTH) {
  signal input root;
  signal input x;
  signal input tag;
  signal input unitsPerSlot;
  signal input secrets[LEAVES];
  signal input limits[LEAVES];
  signal input slotCounts[LEAVES];
  signal input restCounts[LEAVES];
  signal input isUsed[LEAVES];
  signal input active[LEAVES][MAX_DEPTH];
  signal input isRight[LEAVES][MAX_DEPTH];
  signal input siblings[LEAVES][MAX_DEPTH];
  signal output rests[LEAVES];
  signal output units;

  signal sums[LEAVES + 1];
  signal each[LEAVES];
  sums[0] <== 0;
  for (var i = 0; i < LEAVES; i++) {
    (rests[i], each[i]) <== JoinedLeaf(MAX_DEPTH)(
      root, tag, unitsPerSlot, secrets[i], limits[i], slotCounts[i], restCounts[i], isUsed[i], active[i], isRight[i], siblings[i]
    );
    sums[i + 1] <== sums[i] + each[i];
  }
  units <== sums[LEAVES];

  // An input that stands in no constraint could be exchanged in a finished proof.
  signal xSquare <== x * x;
}

component main { public [root, x, tag, unitsPerSlot] } = Join(4, 26);
