// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IBywayPool} from "../IBywayPool.sol";
import {ProofBytes} from "../lib/ProofBytes.sol";
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
        (uint256 firstX, uint256 secondX) = (Tickets.evidenceX(first.said), Tickets.evidenceX(second.said));
        if (firstX == secondX || firstX == 0 || secondX == 0) revert NoConflict();
        bytes memory pending =
            ProofBytes.room(2 * ProofBytes.HEAD_BYTES + first.proof.length + second.proof.length);
        if (_ask(pending, first.root, nullifier, firstX, first.proof) != Reason.NONE) revert UnknownRoot();
        if (_ask(pending, second.root, nullifier, secondX, second.proof) != Reason.NONE) revert UnknownRoot();
        if (!_areAllProven(pending)) revert NoConflict();
        _burnBond(nullifier);
    }

    /// @inheritdoc IBywayPool
    function conflictTickets(Opening calldata opening, SignedTicket calldata first, SignedTicket calldata second)
        external
    {
        if (first.provider == second.provider) revert NoConflict();
        _mustBeSigned(opening, second);
        if (!_isBoundTo(opening.nullifier, first.provider, opening.sessionKey)) {
            _mustBeSigned(opening, first);
            _mustHold(opening);
        }
        _burnBond(opening.nullifier);
    }

    /// @dev Then its bind has shown that the session key is the slot's and has signed a ticket for the provider.
    function _isBoundTo(uint256 nullifier, address provider, address sessionKey) private view returns (bool) {
        uint256 word = slot[nullifier];
        bool isBound = word.state() == SlotWord.BOUND || word.state() == SlotWord.CLOSING;
        return isBound && word.holder() == SlotWord.binding(provider, sessionKey);
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

    function _mustHold(Opening calldata opening) private view {
        uint256 x = Tickets.openingX(opening.sessionKey, opening.receiptKey);
        Reason reason = _whyNotProven(opening.root, opening.nullifier, x, opening.proof);
        if (reason == Reason.UNKNOWN_ROOT) revert UnknownRoot();
        if (reason != Reason.NONE) revert NoConflict();
    }

    function _mustBeSigned(Opening calldata opening, SignedTicket calldata t) private view {
        bytes32 digest =
            Tickets.digest(ticketDomain, t.provider, opening.nullifier, t.index, t.amount, t.commit, t.nonce);
        if (!Signatures.isBy(opening.sessionKey, digest, t.signature)) revert NoConflict();
    }
}
