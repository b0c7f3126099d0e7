// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Sha256} from "./Sha256.sol";

/// @dev The bytes of tickets and of their draw (SPEC §13.2, §13.4).
library Tickets {
    /// @dev How what a refund's proof is bound to begins.
    bytes15 private constant REFUND = "byway refund v1";

    /// @dev What an opening's proof is bound to (SPEC §13.2).
    function openingX(address sessionKey, bytes32 receiptKey) internal view returns (uint256 x) {
        // 65 bytes above what is in use, as all of these.
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, "byway slot v1")
            mstore(add(at, 13), shl(96, sessionKey))
            mstore(add(at, 33), receiptKey)
            if iszero(staticcall(gas(), 0x02, at, 65, 0x00, 0x20)) { revert(0, 0) }
            x := shr(8, mload(0x00))
        }
    }

    /// @dev What a refund's proof is bound to, and what is kept of it until the end: where the slot goes (SPEC §14.4). `holder` is the hash's first 20 bytes, `x` its first 31.
    function refundTo(uint256 idc, address feeTo, uint32 attempt)
        internal
        view
        returns (uint256 x, address holder)
    {
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, "byway refund v1")
            mstore(add(at, 15), idc)
            mstore(add(at, 47), shl(96, feeTo))
            mstore(add(at, 67), shl(224, attempt))
            if iszero(staticcall(gas(), 0x02, at, 71, 0x00, 0x20)) { revert(0, 0) }
            x := shr(8, mload(0x00))
            holder := shr(88, x)
        }
    }

    /// @dev What a proof shown as evidence is bound to: the hash of what it said. Zero for a refund, which owners may prove as often as they like, whatever else they showed.
    function evidenceX(bytes calldata said) internal pure returns (uint256) {
        return bytes15(said) == REFUND ? 0 : uint256(sha256(said)) >> 8;
    }

    /// @dev What a session key signs of a bound slot's return (SPEC §14.4).
    function returnDigest(uint256 nullifier, uint256 idc, address feeTo) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, "byway return v1")
            mstore(add(at, 15), chainid())
            mstore(add(at, 47), shl(96, address()))
            mstore(add(at, 67), nullifier)
            mstore(add(at, 99), idc)
            mstore(add(at, 131), shl(96, feeTo))
            if iszero(staticcall(gas(), 0x02, at, 151, 0x00, 0x20)) { revert(0, 0) }
            hash := mload(0x00)
        }
    }

    /// @dev What the proof of never-shown slots is bound to: the receiver of the money, and who gets a unit of it, if anybody (SPEC §14.4).
    function withdrawalX(address to, address feeTo) internal view returns (uint256) {
        bytes memory named = abi.encodePacked("byway withdraw v1", to);
        if (feeTo != address(0)) named = abi.encodePacked(named, feeTo);
        return uint256(Sha256.ofBytes(named)) >> 8;
    }

    /// @dev What the proof of joined leaves is bound to: the leaf they become (SPEC §14.6).
    function joinX(uint256 idc, address feeTo) internal view returns (uint256) {
        return uint256(
            Sha256.ofBytes(abi.encodePacked("byway join v1", block.chainid, address(this), idc, feeTo))
        ) >> 8;
    }

    /// @dev What the session key signs. `commit` is SHA-256 of the reveal.
    function digest(
        bytes32 ticketDomain,
        address provider,
        uint256 nullifier,
        uint32 index,
        uint96 amount,
        bytes32 commit,
        bytes16 nonce
    ) internal view returns (bytes32 hash) {
        // 148 bytes, packed above what is in use: each claim makes one.
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, ticketDomain)
            mstore(add(at, 32), shl(96, provider))
            mstore(add(at, 52), nullifier)
            mstore(add(at, 84), shl(224, index))
            mstore(add(at, 88), shl(160, amount))
            mstore(add(at, 100), commit)
            mstore(add(at, 132), nonce)
            if iszero(staticcall(gas(), 0x02, at, 148, 0x00, 0x20)) { revert(0, 0) }
            hash := mload(0x00)
        }
    }

    /// @dev Room for the 148 bytes of a digest, for many tickets to one provider: what they share is written once.
    function digestRoom(bytes32 ticketDomain, address provider) internal pure returns (uint256 room) {
        assembly ("memory-safe") {
            room := mload(0x40)
            mstore(0x40, add(room, 160))
            mstore(room, ticketDomain)
            mstore(add(room, 32), shl(96, provider))
        }
    }

    /// @dev Digest and draw of a win that lies at `win` of the call data as `index[4] ‖ amount[12] ‖ reveal[32] ‖ nonce[16]`. `drawn` has 160 bits.
    function drawAt(uint256 room, uint256 nullifier, uint256 win)
        internal
        view
        returns (bytes32 hash, uint256 drawn)
    {
        assembly ("memory-safe") {
            mstore(add(room, 52), nullifier)
            calldatacopy(add(room, 84), win, 16)
            calldatacopy(0x00, add(win, 16), 32)
            calldatacopy(add(room, 132), add(win, 48), 16)
            let isDone := staticcall(gas(), 0x02, 0x00, 0x20, add(room, 100), 0x20)
            isDone := and(isDone, staticcall(gas(), 0x02, room, 148, 0x20, 0x20))
            hash := mload(0x20)
            isDone := and(isDone, staticcall(gas(), 0x02, 0x00, 0x40, 0x00, 0x20))
            if iszero(isDone) { revert(0, 0) }
            drawn := shr(96, mload(0x00))
        }
    }

    /// @dev The draw: wins with probability amount / winValue. Nothing of it comes from signature bytes.
    function isWin(bytes32 ticketDigest, bytes32 reveal, uint96 amount, uint96 winValue)
        internal
        view
        returns (bool)
    {
        return isBelow(uint160(bytes20(Sha256.ofWords(reveal, ticketDigest))), amount, winValue);
    }

    /// @dev What was drawn, of 160 bits, against the ticket's part of V.
    function isBelow(uint256 drawn, uint96 amount, uint96 winValue) internal pure returns (bool) {
        unchecked {
            return drawn * winValue < uint256(amount) << 160;
        }
    }
}
