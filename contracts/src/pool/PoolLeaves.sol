// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IAuthoriser} from "../IAuthoriser.sol";
import {IBywayPool} from "../IBywayPool.sol";
import {ProofBytes} from "../lib/ProofBytes.sol";
import {SlotWord} from "../lib/SlotWord.sol";
import {Tickets} from "../lib/Tickets.sol";
import {PoolReturns} from "./PoolReturns.sol";

/// @dev What was never shown: back to owners as money, in two steps, or rests of leaves into one leaf (SPEC §14.4, §14.6). The nullifier of a rest, the units of a leaf that make
/// no slot, has a word like a slot's; no slot proof can ever be made for it, so whatever somebody locks under it counts for nothing.
abstract contract PoolLeaves is PoolReturns {
    using SlotWord for uint256;

    /// @dev Units: a proof of its own and up to four words cost twice what a slot's way back does.
    uint256 private constant JOIN_FEE = 2;

    /// @dev Who gets a unit of what is withdrawn; mostly nobody.
    mapping(uint256 nullifier => address) private _feeTo;

    /// @inheritdoc IBywayPool
    function withdrawUnused(Unused[] calldata slots, address to) external returns (uint256 done) {
        Receiver[] memory receivers = new Receiver[](slots.length);
        for (uint256 i; i < slots.length; ++i) {
            receivers[i] = Receiver(to, address(0));
        }
        return _withdrawAll(slots, receivers);
    }

    /// @inheritdoc IBywayPool
    function withdrawThrough(Unused[] calldata slots, Receiver[] calldata receivers) external returns (uint256 done) {
        if (slots.length != receivers.length) revert LengthMismatch();
        return _withdrawAll(slots, receivers);
    }

    /// @inheritdoc IBywayPool
    function withdrawPart(Part[] calldata parts, Receiver[] calldata receivers) external returns (uint256 done) {
        if (parts.length != receivers.length) revert LengthMismatch();
        for (uint256 i; i < parts.length; ++i) {
            Reason reason = _whyNotPart(parts[i], receivers[i]);
            if (reason == Reason.NONE) {
                done += _withdrawPart(parts[i], receivers[i]);
            } else {
                emit Skipped(parts[i].nullifiers[0], reason);
            }
        }
    }

    /// @inheritdoc IBywayPool
    function finishWithdraw(uint256[] calldata nullifiers) external returns (uint256 done) {
        for (uint256 i; i < nullifiers.length; ++i) {
            uint256 nullifier = nullifiers[i];
            uint256 word = slot[nullifier];
            Reason reason = _whyNotDue(word, SlotWord.WITHDRAWING, _refundDelay);
            if (reason == Reason.NONE) {
                _change(nullifier, word.to(SlotWord.WITHDRAWN));
                _payWithdrawn(nullifier, word);
            }
            done += _count(nullifier, reason);
        }
    }

    /// @inheritdoc IBywayPool
    function join(Joining[] calldata joinings) external returns (uint256 done) {
        for (uint256 i; i < joinings.length; ++i) {
            Joining calldata joining = joinings[i];
            Reason reason = _whyNotJoined(joining);
            if (reason == Reason.NONE) _join(joining);
            done += _count(joining.rests[0], reason);
        }
    }

    function _withdrawAll(Unused[] calldata slots, Receiver[] memory receivers) private returns (uint256 done) {
        Reason[] memory reasons = new Reason[](slots.length);
        uint256 room;
        for (uint256 i; i < slots.length; ++i) {
            room += ProofBytes.HEAD_BYTES + slots[i].proof.length;
        }
        bytes memory pending = ProofBytes.room(room);
        for (uint256 i; i < slots.length; ++i) {
            Unused calldata unused = slots[i];
            Reason reason = _whyNotUnused(_current(unused.nullifier));
            if (reason == Reason.NONE) {
                reason = _ask(pending, unused.root, unused.nullifier, _xOf(receivers[i]), unused.proof);
            }
            reasons[i] = reason;
        }
        bool areAllProven = _areAllProven(pending);
        for (uint256 i; i < slots.length; ++i) {
            Unused calldata unused = slots[i];
            Reason reason = reasons[i];
            if (reason == Reason.NONE && !areAllProven) {
                reason = _whyNotProven(unused.root, unused.nullifier, _xOf(receivers[i]), unused.proof);
            }
            if (reason == Reason.NONE) {
                reason = _askBack(unused.nullifier, receivers[i].to, SlotWord.WITHDRAWING);
            }
            if (reason == Reason.NONE) _promise(unused.nullifier, receivers[i].feeTo);
            done += _count(unused.nullifier, reason);
        }
    }

    function _whyNotPart(Part calldata part, Receiver calldata receiver) private view returns (Reason) {
        if (rootTimes[part.root].publishedAt == 0) return Reason.UNKNOWN_ROOT;
        IAuthoriser.UnusedStatement memory statement = IAuthoriser.UnusedStatement(
            part.root, part.nullifiers, part.rest, part.restUnits, _xOf(receiver)
        );
        return _authoriser.verifyUnused(domain, statement, part.proof) ? Reason.NONE : Reason.BAD_PROOF;
    }

    /// @dev Begins the way back of all that the part names and that is still there. The first of it bears the fee.
    function _withdrawPart(Part calldata part, Receiver calldata receiver) private returns (uint256 done) {
        address feeTo = receiver.feeTo;
        for (uint256 i; i < part.nullifiers.length; ++i) {
            uint256 nullifier = part.nullifiers[i];
            if (nullifier == 0) continue;
            _current(nullifier);
            Reason reason = _askBack(nullifier, receiver.to, SlotWord.WITHDRAWING);
            done += _count(nullifier, reason);
            if (reason != Reason.NONE) continue;
            _promise(nullifier, feeTo);
            feeTo = address(0);
        }
        if (part.restUnits == 0) return done;
        Reason whyNot = _whyNotRest(slot[part.rest]);
        done += _count(part.rest, whyNot);
        if (whyNot != Reason.NONE) return done;
        _change(part.rest, SlotWord.make(0, receiver.to, uint32(part.restUnits), 0, SlotWord.WITHDRAWING));
        _promise(part.rest, feeTo);
    }

    /// @dev A rest's word says its units where a slot's says its last index.
    function _payWithdrawn(uint256 nullifier, uint256 word) private {
        uint256 units = word.lastIndex();
        if (units == 0) units = word.isBurned() ? _unitsPerSlot - _unitsPerBond : _unitsPerSlot;
        address feeTo = _feeTo[nullifier];
        if (feeTo != address(0)) {
            delete _feeTo[nullifier];
            --units;
            _send(feeTo, _unit);
        }
        _send(word.holder(), units * _unit);
    }

    function _promise(uint256 nullifier, address feeTo) private {
        if (feeTo != address(0)) _feeTo[nullifier] = feeTo;
    }

    function _whyNotJoined(Joining calldata joining) private view returns (Reason) {
        if (!_isCommitment(joining.idc)) return Reason.BAD_DESTINATION;
        if (rootTimes[joining.root].publishedAt == 0) return Reason.UNKNOWN_ROOT;
        if (joining.units <= _joinFee(joining) || joining.units > MAX_LIMIT) return Reason.BAD_AMOUNT;
        for (uint256 i; i < joining.rests.length; ++i) {
            uint256 rest = joining.rests[i];
            if (rest == 0) continue;
            Reason reason = _whyNotRest(slot[rest]);
            if (reason != Reason.NONE) return reason;
            for (uint256 k; k < i; ++k) {
                if (joining.rests[k] == rest) return Reason.SLOT_FINISHED;
            }
        }
        IAuthoriser.JoinStatement memory statement = IAuthoriser.JoinStatement(
            joining.root, joining.rests, joining.units, Tickets.joinX(joining.idc, joining.feeTo)
        );
        return _authoriser.verifyJoin(statement, joining.proof) ? Reason.NONE : Reason.BAD_PROOF;
    }

    function _join(Joining calldata joining) private {
        for (uint256 i; i < joining.rests.length; ++i) {
            uint256 rest = joining.rests[i];
            if (rest != 0) _change(rest, SlotWord.make(0, address(0), 0, 0, SlotWord.REFUNDED));
        }
        uint256 fee = _joinFee(joining);
        _insert(joining.idc, uint32(joining.units - fee));
        _send(joining.feeTo, fee * _unit);
    }

    /// @dev Units that go to the sender's address.
    function _joinFee(Joining calldata joining) private pure returns (uint256) {
        return joining.feeTo == address(0) ? 0 : JOIN_FEE;
    }

    /// @dev A rest is taken once. It cannot be locked or bound, whatever its word says.
    function _whyNotRest(uint256 word) private pure returns (Reason) {
        if (word.isFinished()) return Reason.SLOT_FINISHED;
        return word.state() == SlotWord.WITHDRAWING ? Reason.WRONG_STATE : Reason.NONE;
    }

    function _xOf(Receiver memory receiver) private view returns (uint256) {
        if (receiver.to == address(0)) revert ZeroAddress();
        return Tickets.withdrawalX(receiver.to, receiver.feeTo);
    }
}
