pragma circom 2.2.0;

include "aliascheck.circom";

// circomlib's Num2Bits_strict as a prover may fill it in: with the bits of in + order, which are as many where in is small. isChecked = 0 leaves out what
// makes it strict.
template LyingBits(isChecked) {
  signal input in;
  signal output out[254];

  // The order is odd, so that its bits are those of -1, and the lowest.
  var carry = 1;
  var sum = 0;
  for (var i = 0; i < 254; i++) {
    carry += ((in >> i) & 1) + ((-1 >> i) & 1);
    out[i] <-- carry & 1;
    carry = carry >> 1;
    out[i] * (out[i] - 1) === 0;
    sum += out[i] * 2 ** i;
  }
  sum === in;
  if (isChecked == 1) {
    AliasCheck()(out);
  }
}
