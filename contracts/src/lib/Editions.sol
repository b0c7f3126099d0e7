// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Ed25519} from "./Ed25519.sol";

/// @dev Descriptors (SPEC §10.1), as far as two editions under one number show that their node lies.
library Editions {
    uint256 private constant MAX_BYTES = 1536;
    /// @dev The fixed fields, their lengths and the signature.
    uint256 private constant MIN_BYTES = 220 + 2 + 64;
    uint256 private constant SIGNATURE_BYTES = 64;

    /// @dev Has it the form of an edition of this node?
    function isOf(bytes calldata edition, bytes32 nodeId) internal pure returns (bool) {
        if (edition.length < MIN_BYTES || edition.length > MAX_BYTES || edition[0] != 0x01) return false;
        return bytes32(edition[1:33]) == nodeId;
    }

    /// @dev Its number.
    function numberOf(bytes calldata edition) internal pure returns (uint64) {
        return uint64(bytes8(edition[33:41]));
    }

    /// @dev The provider that it names.
    function providerOf(bytes calldata edition) internal pure returns (address) {
        return address(bytes20(edition[162:182]));
    }

    /// @dev What is signed, hashed: a signature may be made anew over the same contents.
    function contentHash(bytes calldata edition) internal pure returns (bytes32) {
        return keccak256(edition[:edition.length - SIGNATURE_BYTES]);
    }

    /// @dev Did the node sign it?
    function isSigned(bytes calldata edition) internal view returns (bool) {
        uint256 end = edition.length - SIGNATURE_BYTES;
        bytes memory message = bytes.concat("byway descriptor v1", edition[:end]);
        bytes32 r = bytes32(edition[end:end + 32]);
        return Ed25519.verify(bytes32(edition[1:33]), message, r, bytes32(edition[end + 32:]));
    }
}
