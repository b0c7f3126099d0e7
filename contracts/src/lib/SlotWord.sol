// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Sha256} from "./Sha256.sol";

/// @dev A slot's state in one word (SPEC §14.2): u160 holder ‖ u32 last index ‖ u8 wins ‖ u8 state ‖ u48 time.
/// The top bit of `state` says that the bond was burned.
library SlotWord {
    uint8 internal constant NONE = 0;
    uint8 internal constant LOCKED = 1;
    uint8 internal constant LAPSED = 2;
    uint8 internal constant BOUND = 3;
    uint8 internal constant CLOSING = 4;
    uint8 internal constant CLOSED = 5;
    uint8 internal constant REFUNDING = 6;
    uint8 internal constant REFUNDED = 7;
    uint8 internal constant WITHDRAWING = 8;
    uint8 internal constant WITHDRAWN = 9;

    uint256 private constant BURNED = 0x80 << 48;

    /// @dev A new word that keeps only the burned bit of `old`, stamped with this block's time.
    function make(uint256 old, address holder_, uint32 index, uint8 wins_, uint8 state_)
        internal
        view
        returns (uint256)
    {
        return (uint256(uint160(holder_)) << 96) | (uint256(index) << 64) | (uint256(wins_) << 56)
            | (uint256(state_) << 48) | (old & BURNED) | uint48(block.timestamp);
    }

    /// @dev The same slot with another state and this block's time.
    function to(uint256 word, uint8 state_) internal view returns (uint256) {
        return make(word, holder(word), lastIndex(word), wins(word), state_);
    }

    /// @dev The same slot after one more win; its time stays.
    function won(uint256 word, uint32 index) internal pure returns (uint256) {
        uint256 cleared = word & ~(uint256(type(uint32).max) << 64);
        return (cleared | (uint256(index) << 64)) + (1 << 56);
    }

    /// @dev The same slot, its time so many seconds ago.
    function earlier(uint256 word, uint32 seconds_) internal pure returns (uint256) {
        return word - seconds_;
    }

    function burn(uint256 word) internal pure returns (uint256) {
        return word | BURNED;
    }

    function holder(uint256 word) internal pure returns (address) {
        return address(uint160(word >> 96));
    }

    function lastIndex(uint256 word) internal pure returns (uint32) {
        return uint32(word >> 64);
    }

    function wins(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 56);
    }

    function state(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 48) & 0x7f;
    }

    function isBurned(uint256 word) internal pure returns (bool) {
        return word & BURNED != 0;
    }

    function time(uint256 word) internal pure returns (uint256) {
        return uint48(word);
    }

    /// @dev Closed, refunded or withdrawn: nothing is left in it.
    function isFinished(uint256 word) internal pure returns (bool) {
        uint8 state_ = state(word);
        return state_ == CLOSED || state_ == REFUNDED || state_ == WITHDRAWN;
    }

    /// @dev Who a bound slot pays: this provider for this session key, nobody else.
    function binding(address provider, address sessionKey) internal view returns (address) {
        return address(bytes20(Sha256.ofAddresses(provider, sessionKey)));
    }
}
