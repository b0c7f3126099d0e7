pragma circom 2.2.0;

// In place of circomlib's, so that a program is compiled in a moment: x -> (x + input + 1)^3 for each input, begun with their number. No hash, but as
// particular about how many inputs there are.
template Poseidon(n) {
  signal input inputs[n];
  signal output out;

  signal states[n + 1];
  signal squares[n];
  states[0] <== n;
  for (var i = 0; i < n; i++) {
    squares[i] <== (states[i] + inputs[i] + 1) * (states[i] + inputs[i] + 1);
    states[i + 1] <== squares[i] * (states[i] + inputs[i] + 1);
  }
  out <== states[n];
}
