// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IBywayPool} from "../IBywayPool.sol";
import {AccountWord} from "../lib/AccountWord.sol";
import {BURN_ADDRESS} from "../lib/Field.sol";
import {Sha256} from "../lib/Sha256.sol";
import {Signatures} from "../lib/Signatures.sol";
import {SlotWord} from "../lib/SlotWord.sol";
import {Tickets} from "../lib/Tickets.sol";
import {PoolBase} from "./PoolBase.sol";

/// @dev Money out to providers: lock, bind, claimMore, payout (SPEC §14.3, §14.5).
abstract contract PoolClaims is PoolBase {
    using AccountWord for uint256;
    using SlotWord for uint256;

    uint256 private constant MAX_FEE_PERCENT = 12;
    uint8 private constant KIND_LOCK = 1;
    uint8 private constant KIND_BIND = 2;
    uint8 private constant KIND_CLAIM = 3;

    mapping(address provider => uint256) private _accounts;

    /// @inheritdoc IBywayPool
    function lock(LockBatch[] calldata batches) external returns (uint256 done) {
        uint256 fees;
        for (uint256 i; i < batches.length; ++i) {
            LockBatch calldata batch = batches[i];
            if (msg.sender == batch.provider) {
                done += _lockAll(batch, type(uint256).max);
                continue;
            }
            _checkTerms(KIND_LOCK, batch.provider, sha256(abi.encodePacked(batch.nullifiers)), batch.terms);
            uint256 locked = _lockAll(batch, _affordableLocks(batch));
            done += locked;
            fees += _takeLockFee(batch.provider, locked * batch.terms.fee);
        }
        _send(msg.sender, fees);
    }

    /// @inheritdoc IBywayPool
    /// @dev Three passes: what is cheap to refuse, all proofs together, and what is written.
    function bind(BindBatch[] calldata batches) external returns (uint256 done) {
        uint256 most;
        for (uint256 i; i < batches.length; ++i) {
            if (batches[i].openings.length != batches[i].tickets.length) revert LengthMismatch();
            most += batches[i].openings.length;
        }
        Reason[] memory reasons = new Reason[](most);
        Pending memory pending = _pending(most);
        uint256 place;
        for (uint256 i; i < batches.length; ++i) {
            place = _judgeAll(batches[i], reasons, place, pending);
        }
        bool areAllProven = _areAllProven(pending);
        uint256 fees;
        place = 0;
        for (uint256 i; i < batches.length; ++i) {
            BindBatch calldata batch = batches[i];
            uint256 wins = _bindAll(batch, reasons, place, areAllProven);
            place += batch.openings.length;
            done += wins;
            fees += _pay(batch.provider, wins, batch.terms.fee);
        }
        _send(msg.sender, fees);
    }

    /// @inheritdoc IBywayPool
    function claimMore(ClaimBatch[] calldata batches) external returns (uint256 done) {
        uint256 fees;
        for (uint256 i; i < batches.length; ++i) {
            ClaimBatch calldata batch = batches[i];
            uint256 wins = _claimAll(batch, _net(batch.terms.fee));
            done += wins;
            fees += _pay(batch.provider, wins, batch.terms.fee);
        }
        _send(msg.sender, fees);
    }

    /// @inheritdoc IBywayPool
    function settleLocks(uint256[] calldata nullifiers) external returns (uint256 done) {
        for (uint256 i; i < nullifiers.length; ++i) {
            bool wasLocked = slot[nullifiers[i]].state() == SlotWord.LOCKED;
            bool isLocked = _current(nullifiers[i]).state() == SlotWord.LOCKED;
            Reason reason = isLocked ? Reason.TOO_EARLY : wasLocked ? Reason.NONE : Reason.WRONG_STATE;
            done += _count(nullifiers[i], reason);
        }
    }

    /// @inheritdoc IBywayPool
    function payout(address provider) external returns (uint256 amount) {
        address to = _registry.payoutOf(provider);
        if (to == address(0)) revert NotRegistered();
        uint256 word = _account(provider);
        amount = word.credit();
        if (amount == 0) revert NothingDue();
        _accounts[provider] = word.paidOut();
        unburned += word.unpaid() * _burnedPerWin + word.lost() * _heldPerWin;
        emit PaidOut(provider, to, amount);
        _send(to, amount);
    }

    /// @inheritdoc IBywayPool
    function takeHeld(address provider) external returns (uint256 amount) {
        if (msg.sender != _proofs) revert NotProofs();
        uint256 word = _account(provider);
        amount = word.before() * _heldPerWin;
        _accounts[provider] = word.taken();
        _send(msg.sender, amount);
    }

    /// @inheritdoc IBywayPool
    function credit(address provider) external view returns (uint256) {
        return _accounts[provider].credit();
    }

    /// @inheritdoc IBywayPool
    function held(address provider) external view returns (uint256 due, uint256 open, uint256 lost) {
        uint256 word = _accounts[provider].inEpoch(block.timestamp / _epochDuration);
        return (word.before() * _heldPerWin, word.current() * _heldPerWin, word.lost() * _heldPerWin);
    }

    /// @inheritdoc IBywayPool
    function burn() external returns (uint256 amount) {
        amount = unburned;
        if (amount == 0) revert NothingDue();
        unburned = 0;
        emit Burned(amount);
        _send(BURN_ADDRESS, amount);
    }

    /// @dev Locks at most `most` of a batch; what is beyond that the provider could not pay the sender for.
    function _lockAll(LockBatch calldata batch, uint256 most) private returns (uint256 locked) {
        bool isActive = _registry.isActive(batch.provider);
        for (uint256 i; i < batch.nullifiers.length; ++i) {
            uint256 nullifier = batch.nullifiers[i];
            uint256 word = _current(nullifier);
            Reason reason = _whyNotUnused(word);
            if (word.state() == SlotWord.LAPSED) reason = Reason.WRONG_STATE;
            if (!isActive) reason = Reason.NOT_ACTIVE;
            if (reason == Reason.NONE && locked == most) reason = Reason.FEE_NOT_COVERED;
            if (reason == Reason.NONE) {
                slot[nullifier] = SlotWord.make(word, batch.provider, 0, 0, SlotWord.LOCKED);
                emit Locked(nullifier, batch.provider);
            }
            locked += _count(nullifier, reason);
        }
    }

    /// @dev For how many locks a provider can pay: with its winnings, and with what its stake has above nine tenths of the smallest. Not with more: a lock needs no
    /// slot that exists, so a provider could sign its whole stake over to a second account of its own as fees, and have nothing left to lose. What it can move
    /// that way are its own winnings, and a tenth of a stake at most. Penalties that the batch itself brings about are charged before.
    function _affordableLocks(LockBatch calldata batch) private returns (uint256) {
        if (batch.terms.fee == 0) return type(uint256).max;
        for (uint256 i; i < batch.nullifiers.length; ++i) {
            _current(batch.nullifiers[i]);
        }
        return (_accounts[batch.provider].credit() + _registry.spareStake(batch.provider)) / batch.terms.fee;
    }

    /// @dev First pass over one provider's entries: everything but the proofs.
    function _judgeAll(BindBatch calldata batch, Reason[] memory reasons, uint256 place, Pending memory pending)
        private
        returns (uint256)
    {
        Opening[] calldata openings = batch.openings;
        bytes32[] memory digests = new bytes32[](openings.length);
        for (uint256 i; i < openings.length; ++i) {
            Opening calldata opening = openings[i];
            Ticket calldata ticket = batch.tickets[i];
            bytes32 digest = _digest(batch.provider, opening.nullifier, ticket);
            digests[i] = digest;
            Reason reason = _whyNotBindable(_current(opening.nullifier), batch.provider);
            if (reason == Reason.NONE) reason = _whyNotWon(opening.sessionKey, ticket, digest);
            if (reason == Reason.NONE) {
                uint256 x = Tickets.openingX(opening.sessionKey, opening.receiptKey);
                reason = _ask(pending, opening.root, opening.nullifier, x, opening.proof);
            }
            reasons[place++] = reason;
        }
        if (batch.terms.fee != 0) {
            _checkTerms(KIND_BIND, batch.provider, sha256(abi.encodePacked(digests)), batch.terms);
        }
        return place;
    }

    /// @dev Last pass over one provider's entries.
    function _bindAll(BindBatch calldata batch, Reason[] memory reasons, uint256 place, bool areAllProven)
        private
        returns (uint256 wins)
    {
        Opening[] calldata openings = batch.openings;
        uint96 paid = _net(batch.terms.fee);
        for (uint256 i; i < openings.length; ++i) {
            Reason reason = reasons[place + i];
            if (reason == Reason.NONE) {
                reason = _bindOne(batch.provider, openings[i], batch.tickets[i].index, areAllProven, paid);
            }
            wins += _count(openings[i].nullifier, reason);
        }
    }

    function _claimAll(ClaimBatch calldata batch, uint96 paid) private returns (uint256 wins) {
        Claim[] calldata claims = batch.claims;
        bytes32[] memory digests = new bytes32[](claims.length);
        for (uint256 i; i < claims.length; ++i) {
            Claim calldata claim = claims[i];
            bytes32 digest = _digest(batch.provider, claim.nullifier, claim.ticket);
            digests[i] = digest;
            wins += _count(claim.nullifier, _claimOne(batch.provider, claim, digest, paid));
        }
        // The highest index, sent alone, would close those below it: only the provider says what stands in a batch.
        if (msg.sender != batch.provider || batch.terms.fee != 0) {
            _checkTerms(KIND_CLAIM, batch.provider, sha256(abi.encodePacked(digests)), batch.terms);
        }
    }

    /// @dev Writes one bind. The word is looked at anew: an entry of the same batch may have bound the slot.
    function _bindOne(
        address provider,
        Opening calldata opening,
        uint32 index,
        bool isProven,
        uint96 paid
    ) private returns (Reason reason) {
        uint256 nullifier = opening.nullifier;
        uint256 word = slot[nullifier];
        reason = _whyNotBindable(word, provider);
        if (reason == Reason.NONE && !isProven) {
            uint256 x = Tickets.openingX(opening.sessionKey, opening.receiptKey);
            reason = _whyNotProven(opening.root, nullifier, x, opening.proof);
        }
        if (reason != Reason.NONE) return reason;
        address holder = SlotWord.binding(provider, opening.sessionKey);
        slot[nullifier] = SlotWord.make(word, holder, index, 1, SlotWord.BOUND);
        emit Won(nullifier, provider, index, 1, paid);
    }

    function _whyNotBindable(uint256 word, address provider) private pure returns (Reason) {
        if (word.isFinished()) return Reason.SLOT_FINISHED;
        uint8 state = word.state();
        if (state == SlotWord.BOUND || state == SlotWord.CLOSING) return Reason.SLOT_TAKEN;
        return state == SlotWord.LOCKED && word.holder() != provider ? Reason.SLOT_TAKEN : Reason.NONE;
    }

    function _claimOne(address provider, Claim calldata claim, bytes32 digest, uint96 paid)
        private
        returns (Reason reason)
    {
        uint256 word = slot[claim.nullifier];
        if (word.isFinished()) return Reason.SLOT_FINISHED;
        uint8 state = word.state();
        if (state != SlotWord.BOUND && state != SlotWord.CLOSING) return Reason.WRONG_STATE;
        if (word.holder() != SlotWord.binding(provider, claim.sessionKey)) return Reason.SLOT_TAKEN;
        if (word.wins() >= _winsPerSlot) return Reason.SLOT_FULL;
        Ticket calldata ticket = claim.ticket;
        uint32 index = ticket.index;
        if (index <= word.lastIndex()) return Reason.BAD_INDEX;
        reason = _whyNotWon(claim.sessionKey, ticket, digest);
        if (reason != Reason.NONE) return reason;
        word = word.won(index);
        slot[claim.nullifier] = word;
        emit Won(claim.nullifier, provider, index, word.wins(), paid);
    }

    function _whyNotWon(address sessionKey, Ticket calldata ticket, bytes32 digest) private view returns (Reason) {
        uint96 amount = ticket.amount;
        if (amount == 0 || amount > _winValue) return Reason.BAD_AMOUNT;
        if (!Tickets.isWin(digest, ticket.reveal, amount, _winValue)) return Reason.NOT_A_WIN;
        return Signatures.isBy(sessionKey, digest, ticket.signature) ? Reason.NONE : Reason.BAD_SIGNATURE;
    }

    function _digest(address provider, uint256 nullifier, Ticket calldata ticket) private view returns (bytes32) {
        bytes32 commit = Sha256.ofWord(ticket.reveal);
        return Tickets.digest(ticketDomain, provider, nullifier, ticket.index, ticket.amount, commit, ticket.nonce);
    }

    /// @dev Did the provider promise this fee for this batch?
    function _checkTerms(uint8 kind, address provider, bytes32 items, Terms calldata terms) private view {
        if (uint256(terms.fee) * 100 > uint256(_winValue) * MAX_FEE_PERCENT) revert FeeTooHigh();
        if (block.timestamp > terms.deadline) revert RedemptionExpired();
        bytes32 digest = sha256(
            abi.encodePacked(
                "byway redeem v1", block.chainid, address(this), kind, provider, items, terms.fee, terms.deadline
            )
        );
        if (!Signatures.isBy(provider, digest, terms.signature)) revert BadRedeemSignature();
    }

    /// @dev What the provider gets of one win.
    function _net(uint96 fee) private view returns (uint96) {
        return _winValue - _burnedPerWin - _heldPerWin - fee;
    }

    /// @dev A provider's account in this epoch. What it held back for an epoch that nothing can prove any more is said to be lost.
    function _account(address provider) private returns (uint256 word) {
        uint256 stored = _accounts[provider];
        word = stored.inEpoch(block.timestamp / _epochDuration);
        uint256 gone = word.lost() - stored.lost();
        if (gone != 0) emit HeldLost(provider, gone * _heldPerWin);
    }

    /// @dev Books `wins` of a provider; the fees of the sender are returned, to be sent at the end.
    function _pay(address provider, uint256 wins, uint96 fee) private returns (uint256) {
        if (wins == 0) return 0;
        _accounts[provider] = _account(provider).won(wins, _net(fee));
        return wins * fee;
    }

    /// @dev Takes the fee of locks from the winnings; what they do not cover goes from the stake to the sender directly. Both were looked at before.
    function _takeLockFee(address provider, uint256 fee) private returns (uint256 fromCredit) {
        uint256 word = _accounts[provider];
        uint256 own = word.credit();
        fromCredit = fee < own ? fee : own;
        if (fromCredit != 0) _accounts[provider] = word.spend(fromCredit);
        if (fee != fromCredit) _registry.slash(provider, uint96(fee - fromCredit), msg.sender);
    }
}
