// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Ed25519} from "../../src/lib/Ed25519.sol";
import {Sha512} from "../../src/lib/Sha512.sol";

/// @dev Judges many signatures in one call, to compare them with another program.
contract Ed25519Probe {
    struct Signed {
        bytes32 key;
        bytes message;
        bytes32 r;
        bytes32 s;
    }

    /// @notice One byte, 0 or 1, for each signature.
    function verifyAll(Signed[] calldata all) external view returns (bytes memory good) {
        good = new bytes(all.length);
        for (uint256 i; i < all.length; ++i) {
            bool isGood = Ed25519.verify(all[i].key, all[i].message, all[i].r, all[i].s);
            good[i] = isGood ? bytes1(0x01) : bytes1(0x00);
        }
    }

    /// @notice SHA-512.
    function sha512(bytes calldata data) external pure returns (bytes memory) {
        (bytes32 high, bytes32 low) = Sha512.hash(data);
        return bytes.concat(high, low);
    }
}
