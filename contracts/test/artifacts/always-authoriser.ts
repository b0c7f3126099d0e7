// Made from contracts/test/sol/AlwaysAuthoriser.sol by `npm run contracts`. Do not edit.
/** ABI, creation code, and where in it (byte offsets) the addresses of linked libraries belong. */
export const alwaysAuthoriserArtifact = {
  name: 'AlwaysAuthoriser',
  abi: [
    {"inputs":[{"name":"","type":"uint256"},{"name":"","type":"uint256"},{"name":"","type":"uint256"},{"name":"","type":"uint256"},{"name":"","type":"bytes"}],"name":"verify","outputs":[{"name":"","type":"bool"}],"stateMutability":"pure","type":"function"},
    {"inputs":[{"name":"","type":"uint256"},{"name":"","type":"bytes"}],"name":"verifyAll","outputs":[{"name":"","type":"bool"}],"stateMutability":"pure","type":"function"},
    {"inputs":[{"components":[{"name":"root","type":"uint256"},{"name":"rests","type":"uint256[4]"},{"name":"units","type":"uint256"},{"name":"x","type":"uint256"}],"name":"","type":"tuple"},{"name":"","type":"bytes"}],"name":"verifyJoin","outputs":[{"name":"","type":"bool"}],"stateMutability":"pure","type":"function"},
    {"inputs":[{"name":"","type":"uint256"},{"components":[{"name":"root","type":"uint256"},{"name":"nullifiers","type":"uint256[16]"},{"name":"rest","type":"uint256"},{"name":"restUnits","type":"uint256"},{"name":"x","type":"uint256"}],"name":"","type":"tuple"},{"name":"","type":"bytes"}],"name":"verifyUnused","outputs":[{"name":"","type":"bool"}],"stateMutability":"pure","type":"function"},
  ],
  links: {},
  bytecode:
    '0x6080806040523460155761016e908161001a8239f35b5f80fdfe6080806040526004361015610012575f80fd5b5f3560e01c90816367b92cfd1461010457508063868d0e4a146100c4578063920f400a1461008a5763a77e13cc14610048575f80fd5b346100865760a03660031901126100865760843567ffffffffffffffff811161008657610079903690600401610140565b5050602060405160018152f35b5f80fd5b3461008657366003190161010081126100865760e0136100865760e43567ffffffffffffffff811161008657610079903690600401610140565b34610086576102c036600319011261008657610280366023190112610086576102a43567ffffffffffffffff811161008657610079903690600401610140565b34610086576040366003190112610086576024359067ffffffffffffffff8211610086576101386020923690600401610140565b505060018152f35b9181601f840112156100865782359167ffffffffffffffff831161008657602083818601950101116100865756',
} as const
