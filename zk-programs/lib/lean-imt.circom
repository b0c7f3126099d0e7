pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "circomlib/circuits/mux1.circom";

// The root above a leaf in a LeanIMT (SPEC §13.2): nodes are Poseidon2(left, right), a level without a sibling is left out of the path.
//
//   active[i]   1 while the path has a step i, 0 from its end on: the depth in unary
//   isRight[i]  1 where the sibling at step i stands on the left
//
// The depth is private and free. That is safe only because a leaf's hash takes three inputs and a node's two: no leaf is a node.
template LeanImtRoot(MAX_DEPTH) {
  signal input leaf;
  signal input active[MAX_DEPTH];
  signal input isRight[MAX_DEPTH];
  signal input siblings[MAX_DEPTH];
  signal output root;

  signal level[MAX_DEPTH + 1];
  signal parent[MAX_DEPTH];
  level[0] <== leaf;
  for (var i = 0; i < MAX_DEPTH; i++) {
    active[i] * (active[i] - 1) === 0;
    isRight[i] * (isRight[i] - 1) === 0;
    // Once ended, a path does not begin again.
    if (i > 0) {
      active[i] * (1 - active[i - 1]) === 0;
    }
    var pair[2] = MultiMux1(2)([[level[i], siblings[i]], [siblings[i], level[i]]], isRight[i]);
    parent[i] <== Poseidon(2)(pair);
    level[i + 1] <== level[i] + active[i] * (parent[i] - level[i]);
  }
  root <== level[MAX_DEPTH];
}
