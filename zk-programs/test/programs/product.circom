pragma circom 2.2.0;

// The smallest program: for the ceremony's test.
template Product() {
  signal input a;
  signal input b;
  signal output c;
  c <== a * b;
}

component main = Product();
