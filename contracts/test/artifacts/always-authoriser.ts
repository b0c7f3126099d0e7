// Made from contracts/test/sol/AlwaysAuthoriser.sol by `npm run contracts`. Do not edit.
/** ABI, creation code, and where in it (byte offsets) the addresses of linked libraries belong. */
export const alwaysAuthoriserArtifact = {
  name: 'AlwaysAuthoriser',
  abi: [
    {"inputs":[{"name":"","type":"uint256"},{"name":"","type":"uint256"},{"name":"","type":"uint256"},{"name":"","type":"uint256"},{"name":"","type":"bytes"}],"name":"verify","outputs":[{"name":"","type":"bool"}],"stateMutability":"pure","type":"function"},
  ],
  links: {},
  bytecode:
    '0x608080604052346013576095908160188239f35b5f80fdfe60808060405260043610156011575f80fd5b5f3560e01c63a77e13cc146023575f80fd5b3460915760a07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011260915760843567ffffffffffffffff811160915736602382011215609157806004013567ffffffffffffffff81116091573691016024011160915780600160209252f35b5f80fd',
} as const
