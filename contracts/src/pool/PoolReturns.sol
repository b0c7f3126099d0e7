// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IBywayPool} from "../IBywayPool.sol";
import {ProofBytes} from "../lib/ProofBytes.sol";
import {Signatures} from "../lib/Signatures.sol";
import {SlotWord} from "../lib/SlotWord.sol";
import {Tickets} from "../lib/Tickets.sol";
import {PoolDeposits} from "./PoolDeposits.sol";

/// @dev What was shown, back to owners as new leaves: refund and close, each in two steps (SPEC §14.4).
abstract contract PoolReturns is PoolDeposits {
    using SlotWord for uint256;

    /// @inheritdoc IBywayPool
    function refund(Opening[] calldata openings, Destination[] calldata destinations)
        external
        returns (uint256 done)
    {
        if (openings.length != destinations.length) revert LengthMismatch();
        Reason[] memory reasons = new Reason[](openings.length);
        bytes memory pending = ProofBytes.room(_roomFor(openings));
        for (uint256 i; i < openings.length; ++i) {
            Opening calldata opening = openings[i];
            Reason reason = _whyNotUnused(_current(opening.nullifier));
            if (reason == Reason.NONE) {
                reason = _whyNotSigned(opening.sessionKey, opening.nullifier, destinations[i]);
            }
            if (reason == Reason.NONE) {
                uint256 x = Tickets.openingX(opening.sessionKey, opening.receiptKey);
                reason = _ask(pending, opening.root, opening.nullifier, x, opening.proof);
            }
            reasons[i] = reason;
        }
        bool areAllProven = _areAllProven(pending);
        for (uint256 i; i < openings.length; ++i) {
            Opening calldata opening = openings[i];
            Reason reason = reasons[i];
            if (reason == Reason.NONE && !areAllProven) {
                uint256 x = Tickets.openingX(opening.sessionKey, opening.receiptKey);
                reason = _whyNotProven(opening.root, opening.nullifier, x, opening.proof);
            }
            if (reason == Reason.NONE) {
                reason = _askBack(opening.nullifier, opening.sessionKey, SlotWord.REFUNDING);
            }
            done += _count(opening.nullifier, reason);
        }
    }

    /// @inheritdoc IBywayPool
    function finishRefund(uint256[] calldata nullifiers, Destination[] calldata destinations)
        external
        returns (uint256 done)
    {
        if (nullifiers.length != destinations.length) revert LengthMismatch();
        for (uint256 i; i < nullifiers.length; ++i) {
            uint256 word = slot[nullifiers[i]];
            Reason reason = _whyNotDue(word, SlotWord.REFUNDING, _refundDelay);
            if (reason == Reason.NONE) reason = _whyNotSigned(word.holder(), nullifiers[i], destinations[i]);
            if (reason == Reason.NONE) _putBack(nullifiers[i], word, SlotWord.REFUNDED, destinations[i]);
            done += _count(nullifiers[i], reason);
        }
    }

    /// @inheritdoc IBywayPool
    function close(BoundSlot[] calldata slots, Destination[] calldata destinations) external returns (uint256 done) {
        if (slots.length != destinations.length) revert LengthMismatch();
        for (uint256 i; i < slots.length; ++i) {
            uint256 nullifier = slots[i].nullifier;
            uint256 word = slot[nullifier];
            Reason reason = word.state() == SlotWord.BOUND ? Reason.NONE : _whyNotIn(word);
            if (reason == Reason.NONE) reason = _whyNotOwner(word, slots[i], destinations[i]);
            if (reason == Reason.NONE) _change(nullifier, word.to(SlotWord.CLOSING));
            done += _count(nullifier, reason);
        }
    }

    /// @inheritdoc IBywayPool
    function finishClose(BoundSlot[] calldata slots, Destination[] calldata destinations)
        external
        returns (uint256 done)
    {
        if (slots.length != destinations.length) revert LengthMismatch();
        for (uint256 i; i < slots.length; ++i) {
            uint256 nullifier = slots[i].nullifier;
            uint256 word = slot[nullifier];
            Reason reason = _whyNotDue(word, SlotWord.CLOSING, _closeDelay);
            if (reason == Reason.NONE) reason = _whyNotOwner(word, slots[i], destinations[i]);
            if (reason == Reason.NONE) _putBack(nullifier, word, SlotWord.CLOSED, destinations[i]);
            done += _count(nullifier, reason);
        }
    }

    /// @dev Begins the way back of an unused slot. The word is looked at anew: the same batch may have named the slot before.
    function _askBack(uint256 nullifier, address holder, uint8 state) internal returns (Reason reason) {
        uint256 word = slot[nullifier];
        reason = _whyNotUnused(word);
        if (reason == Reason.NONE) _change(nullifier, SlotWord.make(word, holder, 0, 0, state));
    }

    /// @dev Ends a slot and makes a leaf of what is left in it.
    function _putBack(uint256 nullifier, uint256 word, uint8 state, Destination calldata destination) private {
        uint256 units = _unitsLeft(word);
        _change(nullifier, word.to(state));
        bool isPaid = destination.feeTo != address(0) && units != 0;
        if (isPaid) --units;
        if (units != 0) _insert(destination.idc, uint32(units));
        if (isPaid) _send(destination.feeTo, _unit);
    }

    /// @dev Units that a slot still holds: wins not paid, and the bond unless it was burned.
    function _unitsLeft(uint256 word) private view returns (uint256) {
        return (_winsPerSlot - word.wins()) * _unitsPerWin + (word.isBurned() ? 0 : _unitsPerBond);
    }

    function _change(uint256 nullifier, uint256 word) internal {
        slot[nullifier] = word;
        emit SlotChanged(nullifier, word.state());
    }

    function _whyNotDue(uint256 word, uint8 state, uint256 delay) internal view returns (Reason) {
        if (word.state() != state) return _whyNotIn(word);
        return block.timestamp < word.time() + delay ? Reason.TOO_EARLY : Reason.NONE;
    }

    function _whyNotIn(uint256 word) private pure returns (Reason) {
        return word.isFinished() ? Reason.SLOT_FINISHED : Reason.WRONG_STATE;
    }

    function _whyNotOwner(uint256 word, BoundSlot calldata bound, Destination calldata destination)
        private
        view
        returns (Reason)
    {
        if (word.holder() != SlotWord.binding(bound.provider, bound.sessionKey)) return Reason.SLOT_TAKEN;
        return _whyNotSigned(bound.sessionKey, bound.nullifier, destination);
    }

    /// @dev Does the session key send the slot there? One signature serves both steps of a refund and of a close.
    function _whyNotSigned(address sessionKey, uint256 nullifier, Destination calldata destination)
        private
        view
        returns (Reason)
    {
        uint256 idc = destination.idc;
        if (!_isCommitment(idc)) return Reason.BAD_DESTINATION;
        bytes32 digest = Tickets.returnDigest(nullifier, idc, destination.feeTo);
        return Signatures.isBy(sessionKey, digest, destination.signature) ? Reason.NONE : Reason.BAD_SIGNATURE;
    }
}
