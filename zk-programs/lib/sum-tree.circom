pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/mux1.circom";
include "circomlib/circuits/poseidon.circom";

// One path through a Merkle sum tree that is also a search tree (SPEC §17).
//
//   node = Poseidon5(left hash, left sum, split, right hash, right sum)
//
// Every key on the left of a node is below its split, every key on the right is not. A key that stood in two leaves would have to be on both sides of
// their lowest common ancestor's split; so of two leaves with one key at most one can ever be shown.
//
//   before   the sum of all leaves on the left of this one: where its units begin
template SumTreePath(DEPTH, KEY_BITS, SUM_BITS) {
  signal input leaf;
  signal input key;
  signal input units;
  signal input isRight[DEPTH];
  signal input siblingHashes[DEPTH];
  signal input siblingSums[DEPTH];
  signal input splits[DEPTH];
  signal output root;
  signal output total;
  signal output before;

  signal hashes[DEPTH + 1];
  signal sums[DEPTH + 1];
  signal skipped[DEPTH + 1];
  signal isBelow[DEPTH];
  hashes[0] <== leaf;
  sums[0] <== units;
  skipped[0] <== 0;
  for (var i = 0; i < DEPTH; i++) {
    isRight[i] * (isRight[i] - 1) === 0;
    // A sum beyond its bits could wrap round and hide units.
    _ <== Num2Bits(SUM_BITS)(siblingSums[i]);
    _ <== Num2Bits(KEY_BITS)(splits[i]);
    isBelow[i] <== LessThan(KEY_BITS)([key, splits[i]]);
    isBelow[i] + isRight[i] === 1;
    var pair[4] = MultiMux1(4)(
      [
        [hashes[i], siblingHashes[i]],
        [sums[i], siblingSums[i]],
        [siblingHashes[i], hashes[i]],
        [siblingSums[i], sums[i]]
      ],
      isRight[i]
    );
    hashes[i + 1] <== Poseidon(5)([pair[0], pair[1], splits[i], pair[2], pair[3]]);
    sums[i + 1] <== sums[i] + siblingSums[i];
    skipped[i + 1] <== skipped[i] + isRight[i] * siblingSums[i];
  }
  root <== hashes[DEPTH];
  total <== sums[DEPTH];
  before <== skipped[DEPTH];
}
