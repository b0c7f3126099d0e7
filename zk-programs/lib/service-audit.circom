pragma circom 2.2.0;

include "circomlib/circuits/babyjub.circom";
include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/eddsaposeidon.circom";
include "circomlib/circuits/poseidon.circom";
include "./sum-tree.circom";

// The unit that sample m falls on: floor(low 64 bits of Poseidon2(beacon, m) · total / 2^64). total has SUM_BITS bits.
template SampledUnit(SUM_BITS) {
  signal input beacon;
  signal input m;
  signal input total;
  signal output unit;

  signal drawn <== Poseidon(2)([beacon, m]);
  // Strict: a number at or above the field's order would have two sets of bits, and so two draws.
  signal bits[254] <== Num2Bits_strict()(drawn);
  component low = Bits2Num(64);
  for (var i = 0; i < 64; i++) {
    low.in[i] <== bits[i];
  }
  signal product[64 + SUM_BITS] <== Num2Bits(64 + SUM_BITS)(low.out * total);
  component high = Bits2Num(SUM_BITS);
  for (var i = 0; i < SUM_BITS; i++) {
    high.in[i] <== product[64 + i];
  }
  unit <== high.out;
}

// One sample: the leaf that holds the drawn unit, and the receipt under it.
template AuditSample(DEPTH) {
  var KEY_BITS = 64;
  var SUM_BITS = 48;
  signal input provider;
  signal input epoch;
  signal input root;
  signal input total;
  signal input maxUnits;
  signal input beacon;
  signal input m;
  signal input ax;
  signal input ay;
  signal input nullifier;
  signal input units;
  signal input r8x;
  signal input r8y;
  signal input s;
  signal input isRight[DEPTH];
  signal input siblingHashes[DEPTH];
  signal input siblingSums[DEPTH];
  signal input splits[DEPTH];
  signal output receiptKey;

  // The receipt: the client's signature over what this provider carried for this slot.
  BabyCheck()(ax, ay);
  BabyCheck()(r8x, r8y);
  signal message <== Poseidon(4)([provider, nullifier, epoch, units]);
  EdDSAPoseidonVerifier()(1, ax, ay, s, r8x, r8y, message);
  receiptKey <== Poseidon(2)([ax, ay]);

  // No slot pays for more.
  _ <== Num2Bits(SUM_BITS)(units);
  signal isPayable <== LessEqThan(SUM_BITS)([units, maxUnits]);
  isPayable === 1;

  // Its place: leaves are ordered by the low bits of the nullifier.
  signal nullifierBits[254] <== Num2Bits_strict()(nullifier);
  component key = Bits2Num(KEY_BITS);
  for (var i = 0; i < KEY_BITS; i++) {
    key.in[i] <== nullifierBits[i];
  }
  signal leaf <== Poseidon(4)([ax, ay, nullifier, units]);
  component path = SumTreePath(DEPTH, KEY_BITS, SUM_BITS);
  path.leaf <== leaf;
  path.key <== key.out;
  path.units <== units;
  path.isRight <== isRight;
  path.siblingHashes <== siblingHashes;
  path.siblingSums <== siblingSums;
  path.splits <== splits;
  path.root === root;
  path.total === total;

  // The drawn unit is one of the leaf's own.
  signal unit <== SampledUnit(SUM_BITS)(beacon, m, total);
  signal isAfterStart <== LessEqThan(SUM_BITS + 1)([path.before, unit]);
  signal isBeforeEnd <== LessThan(SUM_BITS + 1)([unit, path.before + units]);
  isAfterStart === 1;
  isBeforeEnd === 1;
}

template ServiceAudit(SAMPLES, DEPTH) {
  signal input provider;
  signal input epoch;
  signal input root;
  signal input total;
  signal input maxUnits;
  signal input beacon;
  signal input nullifiers[SAMPLES];
  signal input ax[SAMPLES];
  signal input ay[SAMPLES];
  signal input units[SAMPLES];
  signal input r8x[SAMPLES];
  signal input r8y[SAMPLES];
  signal input s[SAMPLES];
  signal input isRight[SAMPLES][DEPTH];
  signal input siblingHashes[SAMPLES][DEPTH];
  signal input siblingSums[SAMPLES][DEPTH];
  signal input splits[SAMPLES][DEPTH];
  signal output receiptKeys[SAMPLES];

  _ <== Num2Bits(48)(total);
  for (var m = 0; m < SAMPLES; m++) {
    receiptKeys[m] <== AuditSample(DEPTH)(
      provider, epoch, root, total, maxUnits, beacon, m,
      ax[m], ay[m], nullifiers[m], units[m], r8x[m], r8y[m], s[m],
      isRight[m], siblingHashes[m], siblingSums[m], splits[m]
    );
  }
}
