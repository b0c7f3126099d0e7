// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @dev The bytes of `lock` and `claimMore` (SPEC §14.8), read where they lie. Whoever reads has looked at lengths before: a word beyond the end would be another's bytes.
library BatchBytes {
    /// @dev As IBywayPool names it.
    error BadBatchBytes();

    /// @dev Kinds of batches, their first byte.
    uint256 private constant OWN = 0;
    uint256 private constant SIGNED = 1;

    uint256 private constant OWN_HEAD_BYTES = 3;
    uint256 private constant SIGNED_HEAD_BYTES = 108;
    uint256 private constant SLOT_HEAD_BYTES = 33;
    uint256 private constant WIN_BYTES = 129;

    /// @dev The first batch: where it begins in the call data, whether terms stand in it, its slots, and the batches after it.
    function batch(bytes calldata all)
        internal
        pure
        returns (uint256 from, bool isSigned, bytes calldata slots, bytes calldata rest)
    {
        if (all.length < OWN_HEAD_BYTES) revert BadBatchBytes();
        from = offsetOf(all);
        uint256 first = wordAt(from);
        uint256 kind = first >> 248;
        if (kind > SIGNED) revert BadBatchBytes();
        isSigned = kind != OWN;
        unchecked {
            uint256 head = isSigned ? SIGNED_HEAD_BYTES : OWN_HEAD_BYTES;
            uint256 length = uint16(first >> 232);
            if (head + length > all.length) revert BadBatchBytes();
            assembly ("memory-safe") {
                slots.offset := add(from, head)
                slots.length := length
                rest.offset := add(slots.offset, length)
                rest.length := sub(all.length, add(head, length))
            }
        }
    }

    /// @dev The terms in the signed batch that begins there.
    function terms(uint256 from)
        internal
        pure
        returns (address provider, uint96 fee, uint64 deadline, bytes calldata signature)
    {
        unchecked {
            provider = address(uint160(wordAt(from + 3) >> 96));
            fee = uint96(wordAt(from + 23) >> 160);
            deadline = uint64(wordAt(from + 35) >> 192);
        }
        assembly ("memory-safe") {
            signature.offset := add(from, 43)
            signature.length := 65
        }
    }

    /// @dev The slot at a place of the call data: its nullifier, where its wins begin and where they end, at `end` at the latest.
    function slotAt(uint256 here, uint256 end) internal pure returns (uint256 nullifier, uint256 from, uint256 to) {
        unchecked {
            nullifier = wordAt(here);
            from = here + SLOT_HEAD_BYTES;
            to = from + (wordAt(from - 1) >> 248) * WIN_BYTES;
        }
        if (to > end) revert BadBatchBytes();
    }

    function indexAt(uint256 win) internal pure returns (uint32) {
        return uint32(wordAt(win) >> 224);
    }

    function amountAt(uint256 win) internal pure returns (uint96) {
        return uint96(wordAt(win) >> 128);
    }

    /// @dev Where the next win of the slot begins.
    function next(uint256 win) internal pure returns (uint256) {
        unchecked {
            return win + WIN_BYTES;
        }
    }

    /// @dev Where the signature of a win begins.
    function signatureOf(uint256 win) internal pure returns (uint256) {
        unchecked {
            return win + 64;
        }
    }

    /// @dev Where bytes begin in the call data.
    function offsetOf(bytes calldata data) internal pure returns (uint256 here) {
        assembly ("memory-safe") {
            here := data.offset
        }
    }

    function nextWord(uint256 here) internal pure returns (uint256) {
        unchecked {
            return here + 32;
        }
    }

    function wordAt(uint256 here) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(here)
        }
    }
}
