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
    /// @dev Three passes, as in `bind`.
    function refund(Refund[] calldata refunds) external returns (uint256 done) {
        Reason[] memory reasons = new Reason[](refunds.length);
        uint256 room;
        for (uint256 i; i < refunds.length; ++i) {
            room += ProofBytes.HEAD_BYTES + refunds[i].proof.length;
        }
        bytes memory pending = ProofBytes.room(room);
        for (uint256 i; i < refunds.length; ++i) {
            Refund calldata asked = refunds[i];
            Reason reason = _whyNotRefundable(_current(asked.nullifier), asked.attempt);
            if (reason == Reason.NONE && !_isCommitment(asked.idc)) reason = Reason.BAD_DESTINATION;
            if (reason == Reason.NONE) {
                (uint256 x,) = Tickets.refundTo(asked.idc, asked.feeTo, asked.attempt);
                reason = _ask(pending, asked.root, asked.nullifier, x, asked.proof);
            }
            reasons[i] = reason;
        }
        bool areAllProven = _areAllProven(pending);
        for (uint256 i; i < refunds.length; ++i) {
            Reason reason = reasons[i];
            if (reason == Reason.NONE) reason = _refundOne(refunds[i], areAllProven);
            done += _count(refunds[i].nullifier, reason);
        }
    }

    /// @inheritdoc IBywayPool
    function finishRefund(Refunding[] calldata refunds) external returns (uint256 done) {
        for (uint256 i; i < refunds.length; ++i) {
            Refunding calldata begun = refunds[i];
            uint256 word = slot[begun.nullifier];
            Reason reason = _whyNotDue(word, SlotWord.REFUNDING, _refundDelay);
            if (reason == Reason.NONE) {
                (, address holder) = Tickets.refundTo(begun.idc, begun.feeTo, word.lastIndex());
                if (word.holder() != holder) reason = Reason.BAD_DESTINATION;
            }
            if (reason == Reason.NONE) {
                _putBack(begun.nullifier, word, SlotWord.REFUNDED, begun.idc, begun.feeTo);
            }
            done += _count(begun.nullifier, reason);
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
            if (reason == Reason.NONE) _putBack(nullifier, word, SlotWord.CLOSED, destinations[i].idc, destinations[i].feeTo);
            done += _count(nullifier, reason);
        }
    }

    /// @dev Writes one refund. The word is looked at anew: the same batch may have named the slot before. One that goes elsewhere now can be finished at once.
    function _refundOne(Refund calldata asked, bool isProven) private returns (Reason reason) {
        uint256 nullifier = asked.nullifier;
        uint256 word = slot[nullifier];
        (uint256 x, address holder) = Tickets.refundTo(asked.idc, asked.feeTo, asked.attempt);
        reason = _whyNotRefundable(word, asked.attempt);
        if (reason == Reason.NONE && !isProven) reason = _whyNotProven(asked.root, nullifier, x, asked.proof);
        if (reason != Reason.NONE) return reason;
        uint256 begun = SlotWord.make(word, holder, asked.attempt, 0, SlotWord.REFUNDING);
        if (word.state() == SlotWord.REFUNDING) {
            slot[nullifier] = begun.earlier(_refundDelay);
        } else {
            _change(nullifier, begun);
        }
    }

    /// @dev May its owner send a slot somewhere? Also one that is on its way, by a later attempt, once whoever was to finish it has had as long again as its delay.
    function _whyNotRefundable(uint256 word, uint32 attempt) private view returns (Reason) {
        if (word.state() != SlotWord.REFUNDING || attempt <= word.lastIndex()) return _whyNotUnused(word);
        return block.timestamp < word.time() + 2 * uint256(_refundDelay) ? Reason.TOO_EARLY : Reason.NONE;
    }

    /// @dev Begins the way back of an unused slot. The word is looked at anew: the same batch may have named the slot before.
    function _askBack(uint256 nullifier, address holder, uint8 state) internal returns (Reason reason) {
        uint256 word = slot[nullifier];
        reason = _whyNotUnused(word);
        if (reason == Reason.NONE) _change(nullifier, SlotWord.make(word, holder, 0, 0, state));
    }

    /// @dev Ends a slot and makes a leaf of what is left in it.
    function _putBack(uint256 nullifier, uint256 word, uint8 state, uint256 idc, address feeTo) private {
        uint256 units = _unitsLeft(word);
        _change(nullifier, word.to(state));
        bool isPaid = feeTo != address(0) && units != 0;
        if (isPaid) --units;
        if (units != 0) _insert(idc, uint32(units));
        if (isPaid) _send(feeTo, _unit);
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

    /// @dev Does the session key send the slot there? One signature serves both steps.
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
