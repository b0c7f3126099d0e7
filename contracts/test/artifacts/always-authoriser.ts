// Made from contracts/test/sol/AlwaysAuthoriser.sol by `npm run contracts`. Do not edit.
/** ABI, creation code, and where in it (byte offsets) the addresses of linked libraries belong. */
export const alwaysAuthoriserArtifact = {
  name: 'AlwaysAuthoriser',
  abi: [
    {"inputs":[{"name":"","type":"uint256"},{"name":"","type":"uint256"},{"name":"","type":"uint256"},{"name":"","type":"uint256"},{"name":"","type":"bytes"}],"name":"verify","outputs":[{"name":"","type":"bool"}],"stateMutability":"pure","type":"function"},
    {"inputs":[{"name":"","type":"uint256"},{"components":[{"name":"root","type":"uint256"},{"name":"nullifier","type":"uint256"},{"name":"x","type":"uint256"}],"name":"","type":"tuple[]"},{"name":"","type":"bytes[]"}],"name":"verifyAll","outputs":[{"name":"","type":"bool"}],"stateMutability":"pure","type":"function"},
  ],
  links: {},
  bytecode:
    '0x60808060405234601557610166908161001a8239f35b5f80fdfe6080806040526004361015610012575f80fd5b5f3560e01c9081637b564a7a146100ac575063a77e13cc14610032575f80fd5b346100a85760a07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126100a85760843567ffffffffffffffff81116100a857366023820112156100a857806004013567ffffffffffffffff81116100a857369101602401116100a857602060405160018152f35b5f80fd5b346100a85760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126100a85760243567ffffffffffffffff81116100a857366023820112156100a85780600401359067ffffffffffffffff82116100a85760249060603693020101116100a85760443567ffffffffffffffff81116100a857366023820112156100a85780600401359067ffffffffffffffff82116100a857602490369260051b0101116100a85780600160209252f3',
} as const
