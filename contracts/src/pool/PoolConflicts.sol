// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IBywayPool} from "../IBywayPool.sol";
import {Signatures} from "../lib/Signatures.sol";
import {SlotWord} from "../lib/SlotWord.sol";
import {Tickets} from "../lib/Tickets.sol";
import {PoolBase} from "./PoolBase.sol";

/// @dev Owners who use one slot twice lose its bond (SPEC §14.4).
abstract contract PoolConflicts is PoolBase {
    using SlotWord for uint256;

    /// @dev The reporter's part of a bond: small, so that a cheat who reports himself saves little.
    uint96 private constant REWARD_DIVISOR = 10;

    /// @inheritdoc IBywayPool
    function conflictOpenings(uint256 nullifier, Evidence calldata first, Evidence calldata second) external {
        if (first.x == second.x) revert NoConflict();
        _mustHold(first.root, nullifier, first.x, first.proof);
        _mustHold(second.root, nullifier, second.x, second.proof);
        _burnBond(nullifier);
    }

    /// @inheritdoc IBywayPool
    function conflictTickets(Opening calldata opening, SignedTicket calldata first, SignedTicket calldata second)
        external
    {
        if (first.provider == second.provider) revert NoConflict();
        _mustBeSigned(opening, first);
        _mustBeSigned(opening, second);
        uint256 x = Tickets.openingX(opening.sessionKey, opening.receiptKey);
        _mustHold(opening.root, opening.nullifier, x, opening.proof);
        _burnBond(opening.nullifier);
    }

    function _burnBond(uint256 nullifier) private {
        uint256 word = slot[nullifier];
        if (word.isBurned() || word.isFinished()) revert BondGone();
        slot[nullifier] = word.burn();
        uint96 reward = _bond / REWARD_DIVISOR;
        unburned += _bond - reward;
        emit BondBurned(nullifier, msg.sender, reward);
        _send(msg.sender, reward);
    }

    function _mustHold(uint256 root, uint256 nullifier, uint256 x, bytes calldata proof) private view {
        Reason reason = _whyNotProven(root, nullifier, x, proof);
        if (reason == Reason.UNKNOWN_ROOT) revert UnknownRoot();
        if (reason != Reason.NONE) revert NoConflict();
    }

    function _mustBeSigned(Opening calldata opening, SignedTicket calldata t) private view {
        bytes32 digest =
            Tickets.digest(ticketDomain, t.provider, opening.nullifier, t.index, t.amount, t.commit, t.nonce);
        if (!Signatures.isBy(opening.sessionKey, digest, t.signature)) revert NoConflict();
    }
}
