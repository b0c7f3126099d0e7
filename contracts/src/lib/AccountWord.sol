// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @dev What the pool owes one provider, in one word, so that a claim writes one (SPEC §14.3, §17.5):
/// u96 credit ‖ u32 wins not paid out ‖ u32 wins whose held part is lost ‖ u32 epoch ‖ u32 wins of the epoch before ‖ u32 wins of the epoch.
library AccountWord {
    uint256 private constant CREDIT = 160;
    uint256 private constant UNPAID = 128;
    uint256 private constant LOST = 96;
    uint256 private constant EPOCH = 64;
    uint256 private constant BEFORE = 32;

    /// @dev The same account in `epoch`. Wins of epochs before the last are lost: whoever commits takes them out in time.
    function inEpoch(uint256 word, uint256 epoch) internal pure returns (uint256) {
        uint256 then = uint32(word >> EPOCH);
        if (then == epoch) return word;
        (uint256 before_, uint256 current_) = (before(word), current(word));
        uint256 gone = before_;
        (before_, gone) = epoch == then + 1 ? (current_, gone) : (0, gone + current_);
        uint256 kept = (word >> LOST) + gone;
        return (kept << LOST) | (epoch << EPOCH) | (before_ << BEFORE);
    }

    /// @dev After so many more wins in its epoch, of which `net` each is credited; V is below 2^80, so that a batch stays below 2^96.
    function won(uint256 word, uint256 wins, uint256 net) internal pure returns (uint256) {
        uint256 more;
        unchecked {
            more = ((wins * net) << CREDIT) + (wins << UNPAID) + wins;
        }
        // A credit of 2^96 takes no more.
        return word + more;
    }

    function spend(uint256 word, uint256 amount) internal pure returns (uint256) {
        return word - (amount << CREDIT);
    }

    /// @dev What stays after a payout: the wins whose part is held.
    function paidOut(uint256 word) internal pure returns (uint256) {
        return uint96(word);
    }

    /// @dev After what the epoch before left was taken out.
    function taken(uint256 word) internal pure returns (uint256) {
        return word - (before(word) << BEFORE);
    }

    function credit(uint256 word) internal pure returns (uint256) {
        return word >> CREDIT;
    }

    function unpaid(uint256 word) internal pure returns (uint256) {
        return uint32(word >> UNPAID);
    }

    function lost(uint256 word) internal pure returns (uint256) {
        return uint32(word >> LOST);
    }

    function before(uint256 word) internal pure returns (uint256) {
        return uint32(word >> BEFORE);
    }

    function current(uint256 word) internal pure returns (uint256) {
        return uint32(word);
    }
}
