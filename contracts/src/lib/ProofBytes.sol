// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @dev Proofs of a call that are still to be judged, together: the bytes of `IAuthoriser.verifyAll`. Written in place, for arrays of structs and of bytes are copied twice on their way.
library ProofBytes {
    /// @dev Of each before its proof: root, nullifier, x, length.
    uint256 internal constant HEAD_BYTES = 128;

    /// @dev Room for proofs of so many bytes with their heads; nothing in it yet.
    function room(uint256 bytes_) internal pure returns (bytes memory packed) {
        assembly ("memory-safe") {
            packed := mload(0x40)
            mstore(0x40, add(packed, add(32, and(add(bytes_, 31), not(31)))))
            mstore(packed, 0)
        }
    }

    /// @dev Puts one behind the others. The caller made room for it.
    function put(bytes memory packed, uint256 root, uint256 nullifier, uint256 x, bytes calldata proof)
        internal
        pure
    {
        assembly ("memory-safe") {
            let length := mload(packed)
            let at := add(add(packed, 32), length)
            mstore(at, root)
            mstore(add(at, 32), nullifier)
            mstore(add(at, 64), x)
            mstore(add(at, 96), proof.length)
            calldatacopy(add(at, 128), proof.offset, proof.length)
            mstore(packed, add(length, add(128, proof.length)))
        }
    }
}
