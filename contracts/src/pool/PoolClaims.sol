// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IBywayPool} from "../IBywayPool.sol";
import {AccountWord} from "../lib/AccountWord.sol";
import {BatchBytes} from "../lib/BatchBytes.sol";
import {BURN_ADDRESS} from "../lib/Field.sol";
import {ProofBytes} from "../lib/ProofBytes.sol";
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
    function lock(bytes calldata packed) external returns (uint256 done) {
        uint256 fees;
        while (packed.length != 0) {
            address provider;
            uint96 fee;
            bytes calldata slots;
            (provider, fee, slots, packed) = _batch(KIND_LOCK, packed);
            if (slots.length % 32 != 0) revert BadBatchBytes();
            uint256 locked = _lockAll(provider, slots, fee == 0 ? type(uint256).max : _affordableLocks(provider, slots, fee));
            done += locked;
            if (fee != 0) fees += _takeLockFee(provider, locked * fee);
        }
        _send(msg.sender, fees);
    }

    /// @inheritdoc IBywayPool
    /// @dev Three passes: what is cheap to refuse, all proofs together, and what is written.
    function bind(BindBatch[] calldata batches) external returns (uint256 done) {
        uint256 most;
        uint256 room;
        for (uint256 i; i < batches.length; ++i) {
            Opening[] calldata openings = batches[i].openings;
            if (openings.length != batches[i].tickets.length) revert LengthMismatch();
            most += openings.length;
            room += _roomFor(openings);
        }
        Reason[] memory reasons = new Reason[](most);
        bytes memory pending = ProofBytes.room(room);
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
    function claimMore(bytes calldata packed) external returns (uint256 done) {
        uint256 fees;
        while (packed.length != 0) {
            address provider;
            uint96 fee;
            bytes calldata slots;
            (provider, fee, slots, packed) = _batch(KIND_CLAIM, packed);
            uint256 wins = _claimAll(provider, slots, _net(fee));
            done += wins;
            fees += _pay(provider, wins, fee);
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

    /// @dev The first of some batches, whose terms its provider has signed unless it is the sender. Of claims the highest index, sent alone, would close those
    /// below it: only the provider says what stands in a batch.
    function _batch(uint8 kind, bytes calldata packed)
        private
        view
        returns (address provider, uint96 fee, bytes calldata slots, bytes calldata rest)
    {
        uint256 from;
        bool isSigned;
        (from, isSigned, slots, rest) = BatchBytes.batch(packed);
        if (!isSigned) return (msg.sender, 0, slots, rest);
        uint64 deadline;
        bytes calldata signature;
        (provider, fee, deadline, signature) = BatchBytes.terms(from);
        _checkTerms(kind, provider, sha256(slots), fee, deadline, signature);
    }

    /// @dev Locks at most `most` of a batch; what is beyond that the provider could not pay the sender for.
    function _lockAll(address provider, bytes calldata slots, uint256 most) private returns (uint256 locked) {
        bool isActive = _registry.isActive(provider);
        uint256 here = BatchBytes.offsetOf(slots);
        uint256 end = here + slots.length;
        for (; here != end; here = BatchBytes.nextWord(here)) {
            uint256 nullifier = BatchBytes.wordAt(here);
            uint256 word = _current(nullifier);
            Reason reason = word == 0 ? Reason.NONE : _whyNotLocked(word);
            if (!isActive) reason = Reason.NOT_ACTIVE;
            if (reason == Reason.NONE && locked == most) reason = Reason.FEE_NOT_COVERED;
            if (reason == Reason.NONE) {
                slot[nullifier] = SlotWord.make(word, provider, 0, 0, SlotWord.LOCKED);
                emit Locked(nullifier, provider);
            }
            locked += _count(nullifier, reason);
        }
    }

    /// @dev A slot is locked once in its life.
    function _whyNotLocked(uint256 word) private pure returns (Reason) {
        return word.state() == SlotWord.LAPSED ? Reason.WRONG_STATE : _whyNotUnused(word);
    }

    /// @dev For how many locks a provider can pay: with its winnings, and with what its stake has above nine tenths of the smallest. Not with more: a lock needs no
    /// slot that exists, so a provider could sign its whole stake over to a second account of its own as fees, and have nothing left to lose. What it can move
    /// that way are its own winnings, and a tenth of a stake at most. Penalties that the batch itself brings about are charged before.
    function _affordableLocks(address provider, bytes calldata slots, uint96 fee) private returns (uint256) {
        uint256 here = BatchBytes.offsetOf(slots);
        uint256 end = here + slots.length;
        for (; here != end; here = BatchBytes.nextWord(here)) {
            _current(BatchBytes.wordAt(here));
        }
        return (_accounts[provider].credit() + _registry.spareStake(provider)) / fee;
    }

    /// @dev First pass over one provider's entries: everything but the proofs.
    function _judgeAll(BindBatch calldata batch, Reason[] memory reasons, uint256 place, bytes memory pending)
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
            bytes32 items = sha256(abi.encodePacked(digests));
            Terms calldata terms = batch.terms;
            _checkTerms(KIND_BIND, batch.provider, items, terms.fee, terms.deadline, terms.signature);
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

    /// @dev Later wins of one provider.
    function _claimAll(address provider, bytes calldata slots, uint96 paid) private returns (uint256 wins) {
        uint256 room = Tickets.digestRoom(ticketDomain, provider);
        uint256 here = BatchBytes.offsetOf(slots);
        uint256 end = here + slots.length;
        while (here != end) {
            (uint256 nullifier, uint256 from, uint256 to) = BatchBytes.slotAt(here, end);
            wins += _claimSlot(provider, nullifier, from, to, room, paid);
            here = to;
        }
    }

    /// @dev Later wins of one slot: its word is read and written once for all of them.
    function _claimSlot(address provider, uint256 nullifier, uint256 here, uint256 to, uint256 room, uint96 paid)
        private
        returns (uint256 wins)
    {
        uint256 before = slot[nullifier];
        uint256 word = before;
        // Whose signature was found to be the session key's.
        address known;
        for (; here != to; here = BatchBytes.next(here)) {
            Reason reason = _whyNotLater(word, here);
            if (reason == Reason.NONE) (reason, known) = _whyNotSigned(provider, nullifier, word, here, room, known);
            if (reason == Reason.NONE) {
                uint32 index = BatchBytes.indexAt(here);
                word = word.won(index);
                emit Won(nullifier, provider, index, word.wins(), paid);
            }
            wins += _count(nullifier, reason);
        }
        if (word != before) slot[nullifier] = word;
    }

    /// @dev May this slot pay one more win, of this index and amount?
    function _whyNotLater(uint256 word, uint256 win) private view returns (Reason) {
        uint8 state = word.state();
        if (state != SlotWord.BOUND && state != SlotWord.CLOSING) {
            return word.isFinished() ? Reason.SLOT_FINISHED : Reason.WRONG_STATE;
        }
        if (word.wins() >= _winsPerSlot) return Reason.SLOT_FULL;
        if (BatchBytes.indexAt(win) <= word.lastIndex()) return Reason.BAD_INDEX;
        uint96 amount = BatchBytes.amountAt(win);
        return amount == 0 || amount > _winValue ? Reason.BAD_AMOUNT : Reason.NONE;
    }

    /// @dev Did it win, and does the slot pay this provider for whoever signed it? The signer is the session key where the two make the slot's holder.
    function _whyNotSigned(
        address provider,
        uint256 nullifier,
        uint256 word,
        uint256 win,
        uint256 room,
        address known
    ) private view returns (Reason, address) {
        (bytes32 digest, uint256 drawn) = Tickets.drawAt(room, nullifier, win);
        if (!Tickets.isBelow(drawn, BatchBytes.amountAt(win), _winValue)) return (Reason.NOT_A_WIN, known);
        address signer = Signatures.recoverAt(digest, BatchBytes.signatureOf(win));
        if (signer == address(0)) return (Reason.BAD_SIGNATURE, known);
        if (signer == known || word.holder() == SlotWord.binding(provider, signer)) return (Reason.NONE, signer);
        return (Reason.SLOT_TAKEN, known);
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
    function _checkTerms(
        uint8 kind,
        address provider,
        bytes32 items,
        uint96 fee,
        uint64 deadline,
        bytes calldata signature
    ) private view {
        if (uint256(fee) * 100 > uint256(_winValue) * MAX_FEE_PERCENT) revert FeeTooHigh();
        if (block.timestamp > deadline) revert RedemptionExpired();
        bytes32 digest = sha256(
            abi.encodePacked("byway redeem v1", block.chainid, address(this), kind, provider, items, fee, deadline)
        );
        if (!Signatures.isBy(provider, digest, signature)) revert BadRedeemSignature();
    }

    /// @dev What the provider gets of one win.
    function _net(uint96 fee) private view returns (uint96) {
        return _netPerWin - fee;
    }

    /// @dev A provider's account in this epoch. What it held back for an epoch that nothing can prove any more is said to be lost.
    function _account(address provider) private returns (uint256 word) {
        uint256 stored = _accounts[provider];
        word = stored.inEpoch(block.timestamp / _epochDuration);
        if (word == stored) return word;
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
