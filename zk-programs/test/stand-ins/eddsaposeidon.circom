pragma circom 2.2.0;

// In place of circomlib's: every signature is one. Those have tests of their own.
template EdDSAPoseidonVerifier() {
  signal input enabled;
  signal input Ax;
  signal input Ay;
  signal input S;
  signal input R8x;
  signal input R8y;
  signal input M;
}
