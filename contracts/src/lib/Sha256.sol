// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @dev SHA-256 without the copies that the built-in function makes: a claim takes four of them.
library Sha256 {
    /// @dev Of one word, in the scratch space.
    function ofWord(bytes32 word) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, word)
            if iszero(staticcall(gas(), 0x02, 0x00, 0x20, 0x00, 0x20)) { revert(0, 0) }
            hash := mload(0x00)
        }
    }

    /// @dev Of two words, in the scratch space.
    function ofWords(bytes32 first, bytes32 second) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, first)
            mstore(0x20, second)
            if iszero(staticcall(gas(), 0x02, 0x00, 0x40, 0x00, 0x20)) { revert(0, 0) }
            hash := mload(0x00)
        }
    }

    /// @dev Of two addresses, 40 bytes, in the scratch space.
    function ofAddresses(address first, address second) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, shl(96, first))
            mstore(0x14, shl(96, second))
            if iszero(staticcall(gas(), 0x02, 0x00, 0x28, 0x00, 0x20)) { revert(0, 0) }
            hash := mload(0x00)
        }
    }

    /// @dev Of bytes where they lie.
    function ofBytes(bytes memory data) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            if iszero(staticcall(gas(), 0x02, add(data, 0x20), mload(data), 0x00, 0x20)) { revert(0, 0) }
            hash := mload(0x00)
        }
    }
}
