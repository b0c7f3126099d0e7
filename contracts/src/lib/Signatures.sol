// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @dev secp256k1 signatures in the one form that Byway knows (SPEC §13.4).
library Signatures {
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @dev The signer of `digest`, or zero for any other form: not 65 bytes, high s, v other than 27 and 28.
    function recover(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        if (signature.length != 65) return address(0);
        uint256 here;
        assembly ("memory-safe") {
            here := signature.offset
        }
        return recoverAt(digest, here);
    }

    /// @dev The same for 65 bytes that begin at `here` of the call data.
    function recoverAt(bytes32 digest, uint256 here) internal pure returns (address) {
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := calldataload(here)
            s := calldataload(add(here, 32))
            v := byte(0, calldataload(add(here, 64)))
        }
        if (uint256(s) > HALF_ORDER || (v != 27 && v != 28)) return address(0);
        return ecrecover(digest, v, r, s);
    }

    /// @dev Is this `signer`'s signature? Never true for the zero address.
    function isBy(address signer, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        return signer != address(0) && recover(digest, signature) == signer;
    }
}
