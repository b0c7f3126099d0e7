/** A program whose keys are made in moments. It has as many public signals as `slot`: the contract names each. */
export const SMALL_PROGRAM = `pragma circom 2.2.0;

template Small() {
  signal input a[5];
  signal input b;
  signal output c;
  c <== a[0] * b;
}

component main { public [a] } = Small();
`
