// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Deposits, slots and wins
/// @notice Clients pay in under commitments; providers are paid for winning tickets, each from a slot that escrows all it can ever pay (SPEC §13, §14). No
/// owner, no upgrade, no pause. Amounts are counts of the token's smallest part, times are seconds, digests are SHA-256.
///
/// A batch skips an entry that cannot be carried out and says why by `Skipped`: what another did in the meantime costs its neighbours nothing. What cannot
/// change between signing and mining (lengths, fees, signatures of redeemers) reverts.
interface IBywayPool {
    /// @dev Why an entry was left out.
    enum Reason {
        NONE,
        UNKNOWN_ROOT, // never published
        SLOT_TAKEN, // locked by, or bound to, another provider or session key
        SLOT_FINISHED, // closed, refunded or withdrawn
        SLOT_FULL, // K wins were paid
        WRONG_STATE, // not in the state that this call needs
        TOO_EARLY, // the delay has not passed
        NOT_ACTIVE, // the provider has no live stake
        BAD_AMOUNT, // zero or above V
        BAD_INDEX, // not above the last one paid
        BAD_SIGNATURE, // not the session key's, or not in the one form
        NOT_A_WIN, // the draw says no
        BAD_PROOF, // the authoriser says no
        BAD_DESTINATION, // no field element, or zero, or not where a refund was asked for
        FEE_NOT_COVERED // neither winnings nor spare stake pay the sender of the lock
    }

    /// @dev What a client showed (SPEC §13.2).
    struct Opening {
        uint256 root;
        uint256 nullifier;
        address sessionKey;
        bytes32 receiptKey;
        bytes proof;
    }

    /// @dev A winning ticket with its reveal (SPEC §13.4).
    struct Ticket {
        uint32 index;
        uint96 amount;
        bytes32 reveal;
        bytes16 nonce;
        bytes signature;
    }

    /// @dev What the provider pays to whoever sends its binds (SPEC §14.5). `fee` is for each entry that succeeds. With a fee of 0 no signature is
    /// needed: anyone may send them, and only the provider is paid. Those of lock and claimMore stand in their bytes (SPEC §14.8).
    struct Terms {
        uint96 fee;
        uint64 deadline;
        bytes signature;
    }

    /// @dev Opening i goes with ticket i.
    struct BindBatch {
        address provider;
        Opening[] openings;
        Ticket[] tickets;
        Terms terms;
    }

    /// @dev A slot to be refunded (SPEC §14.4): to a new leaf of `idc`, which the proof is bound to. With `feeTo` other than zero, one unit of it goes there. Of two attempts the later counts.
    struct Refund {
        uint256 root;
        uint256 nullifier;
        uint256 idc;
        address feeTo;
        uint32 attempt;
        bytes proof;
    }

    /// @dev The same slot after its delay, and where it goes.
    struct Refunding {
        uint256 nullifier;
        uint256 idc;
        address feeTo;
    }

    /// @dev Where the rest of a bound slot goes: as in a refund, signed by the session key. One signature serves close and finishClose.
    struct Destination {
        uint256 idc;
        address feeTo;
        bytes signature;
    }

    /// @dev A bound slot and the two that it is bound to.
    struct BoundSlot {
        uint256 nullifier;
        address provider;
        address sessionKey;
    }

    /// @dev Proof of a never-shown slot, made for one receiver (SPEC §14.4).
    struct Unused {
        uint256 root;
        uint256 nullifier;
        bytes proof;
    }

    /// @dev Who is paid for what was never shown, and who gets one unit of it for sending the request; nobody where `feeTo` is zero. The proof is bound to both.
    struct Receiver {
        address to;
        address feeTo;
    }

    /// @dev Up to sixteen never-shown slots of one leaf and, with `restUnits` other than zero, the units at its end that make no slot (SPEC §14.4). 0 for a place
    /// that is not used.
    struct Part {
        uint256 root;
        uint256[16] nullifiers;
        uint256 rest;
        uint256 restUnits;
        bytes proof;
    }

    /// @dev Up to four rests, the units at a leaf's end that make no slot, that become a leaf of `idc` (SPEC §14.6). With `feeTo` other than zero, two units go there. The proof is
    /// bound to both.
    struct Joining {
        uint256 root;
        uint256[4] rests;
        uint256 units;
        uint256 idc;
        address feeTo;
        bytes proof;
    }

    /// @dev A slot proof as evidence: whatever it was made for, but a refund. `said` are the bytes whose hash the proof is bound to, of an opening (SPEC §13.2) or a withdrawal (SPEC §14.4).
    struct Evidence {
        uint256 root;
        bytes said;
        bytes proof;
    }

    /// @dev A ticket as evidence; whether it wins does not matter.
    struct SignedTicket {
        address provider;
        uint32 index;
        uint96 amount;
        bytes32 commit;
        bytes16 nonce;
        bytes signature;
    }

    /// @dev All that was fixed at deployment.
    struct Parameters {
        address token;
        address registry;
        address authoriser;
        address proofs; // judges service proofs; zero where nothing is held back
        uint96 winValue; // V, below 2^80
        uint8 winsPerSlot; // K
        uint96 bond; // b
        uint96 unit; // u: what leaves and the fees of relayers count in
        uint96 lockPenalty; // taken from the stake for a lock that lapses
        uint16 feeBps; // of a win, burned
        uint16 holdBps; // of a win, held back until its epoch is proved
        uint32 epochDuration; // of service proofs (SPEC §17.1)
        uint8 treeDepth; // at most 26
        uint32 snapshotInterval;
        uint32 lockDuration;
        uint32 refundDelay; // T_refund
        uint32 closeDelay; // T_close
    }

    /// @notice A leaf entered the tree: a deposit, or the rest of a slot. `index` counts over all trees.
    event Inserted(uint256 indexed index, uint256 leaf, uint256 idc, uint32 limit);
    /// @notice A root may be used from now on; it covers the first `leaves` leaves.
    event RootPublished(uint256 indexed root, uint64 leaves, uint48 time);
    /// @notice Until the lock ends, only this provider may bind the slot.
    event Locked(uint256 indexed nullifier, address indexed provider);
    /// @notice A lock ended without a bind and `penalty` of the provider's stake was burned.
    event Lapsed(uint256 indexed nullifier, address indexed provider, uint96 penalty);
    /// @notice A win was paid. `wins` 1 is the one that bound the slot; `paid` is what the provider got, after fees and what is held back.
    event Won(uint256 indexed nullifier, address indexed provider, uint32 index, uint8 wins, uint96 paid);
    /// @notice A slot went into a state of SPEC §14.2 other than LOCKED, LAPSED and BOUND.
    event SlotChanged(uint256 indexed nullifier, uint8 state);
    /// @notice Two things were shown that one honest owner never signs both.
    event BondBurned(uint256 indexed nullifier, address indexed reporter, uint96 reward);
    /// @notice A provider's winnings went to its payout address.
    event PaidOut(address indexed provider, address indexed to, uint256 amount);
    /// @notice What was held back of a provider's wins in an epoch to which it did not commit in time: to be burned with its next payout.
    event HeldLost(address indexed provider, uint256 amount);
    /// @notice Fees and bonds left for good.
    event Burned(uint256 amount);
    /// @notice An entry of a batch was left out.
    event Skipped(uint256 indexed nullifier, Reason reason);

    /// @notice Parameters that no pool can have: zero values, V no multiple of b, b none of u, fees of half or more, something held back and nobody who judges it, a tree too deep, a slot of too many units.
    error BadParameters();
    /// @notice The registry knows another pool.
    error WrongRegistry();
    /// @notice Not below the field's order, or zero.
    error BadCommitment();
    /// @notice Below one slot or above 65 535 units.
    error BadLimit();
    /// @notice Already published in this interval.
    error TooEarly();
    /// @notice No leaf since the last root.
    error NothingNew();
    /// @notice Arrays that go together differ in length.
    error LengthMismatch();
    /// @notice Bytes of lock or claimMore that are not of their form: a kind other than 0 and 1, or a batch or slot that does not end where it should.
    error BadBatchBytes();
    /// @notice More than 12 % of V.
    error FeeTooHigh();
    /// @notice The provider's signature is for an earlier time.
    error RedemptionExpired();
    /// @notice The provider did not sign this batch with this fee.
    error BadRedeemSignature();
    /// @notice An address is zero.
    error ZeroAddress();
    /// @notice The provider was never registered, so nobody knows where to pay.
    error NotRegistered();
    /// @notice Nothing to pay out, or to burn.
    error NothingDue();
    /// @notice Only the contract that judges service proofs may take what is held back.
    error NotProofs();
    /// @notice The evidence shows no conflict: equal openings, one provider, or a signature or proof that does not hold.
    error NoConflict();
    /// @notice The root was never published.
    error UnknownRoot();
    /// @notice The bond is burned already, or was given back.
    error BondGone();

    /// @notice Pays `limit` units into a new leaf (SPEC §13.2). The contract makes the leaf itself. The caller has approved `limit · u`.
    /// @param idc Poseidon1 of a fresh secret. A secret used for two leaves loses the smaller one
    /// @param limit units, from one slot (S/u) to 65 535
    /// @return index of the leaf
    /// @custom:error BadCommitment, BadLimit
    function deposit(uint256 idc, uint32 limit) external returns (uint256 index);

    /// @notice Publishes the tree's root, once in each interval of UTC time. Anyone may.
    /// @return root now usable
    /// @custom:error TooEarly, NothingNew
    function snapshot() external returns (uint256 root);

    /// @notice Reserves unshown slots for a provider that has just won (SPEC §14.3): for `lockDuration` nobody else can bind them. Once in a slot's life,
    /// by whoever comes first. A lock without a bind costs `lockPenalty` of the stake.
    /// Sent by the provider itself (no signature) or by a redeemer; the fee comes from the winnings, else from what the stake has above nine tenths of the
    /// smallest. What neither covers is not locked.
    /// @param packed batches of one or more providers, in the bytes of SPEC §14.8
    /// @return done how many were locked
    /// @custom:error BadBatchBytes, FeeTooHigh, RedemptionExpired, BadRedeemSignature
    function lock(bytes calldata packed) external returns (uint256 done);

    /// @notice Pays the first win of each slot and binds the slot to (provider, session key) for good (SPEC §14.3). First come is final.
    /// @param batches of one or more providers
    /// @return done how many were bound
    /// @custom:error LengthMismatch, FeeTooHigh, RedemptionExpired, BadRedeemSignature
    function bind(BindBatch[] calldata batches) external returns (uint256 done);

    /// @notice Pays later wins of bound slots, up to K for each; indices rise. Needs no proof. Sent by the provider itself or with its signature over
    /// the whole batch, also for a fee of 0: the highest index sent alone would close those below it.
    /// @param packed batches of one or more providers, in the bytes of SPEC §14.8
    /// @return done how many were paid
    /// @custom:error BadBatchBytes, FeeTooHigh, RedemptionExpired, BadRedeemSignature
    function claimMore(bytes calldata packed) external returns (uint256 done);

    /// @notice Charges providers for locks that have lapsed. Every other call that meets a lapsed lock does the same.
    /// @param nullifiers of the slots
    /// @return done how many were charged
    function settleLocks(uint256[] calldata nullifiers) external returns (uint256 done);

    /// @notice Asks shown slots back that were never won (SPEC §14.4). For `refundDelay` a provider may still bind. A slot that was asked back and not put
    /// back goes where a later attempt says, without a new delay, from `2 * refundDelay` on: whoever was to finish it is gone. Who comes then has `refundDelay` for it.
    /// @param refunds slots with proofs bound to where they go
    /// @return done how many were accepted
    function refund(Refund[] calldata refunds) external returns (uint256 done);

    /// @notice Puts refunded slots back into the tree once the delay has passed. Anyone may.
    /// @param refunds as the request has named them
    /// @return done how many were put back
    function finishRefund(Refunding[] calldata refunds) external returns (uint256 done);

    /// @notice Asks for the rest of bound slots, bond included. For `closeDelay` the provider may still claim.
    /// @param slots and to whom they are bound
    /// @param destinations one for each
    /// @return done how many were accepted
    /// @custom:error LengthMismatch
    function close(BoundSlot[] calldata slots, Destination[] calldata destinations) external returns (uint256 done);

    /// @notice Puts the rest of closed slots back into the tree once the delay has passed. Anyone may.
    /// @param slots and to whom they are bound
    /// @param destinations as signed for the request
    /// @return done how many were put back
    /// @custom:error LengthMismatch
    function finishClose(BoundSlot[] calldata slots, Destination[] calldata destinations)
        external
        returns (uint256 done);

    /// @notice Asks never-shown slots back in money. For `refundDelay` a provider to whom one was shown after all may still bind it.
    /// @param slots with proofs bound to `to`
    /// @param to who is paid
    /// @return done how many were accepted
    /// @custom:error ZeroAddress
    function withdrawUnused(Unused[] calldata slots, address to) external returns (uint256 done);

    /// @notice The same for several owners at once, each with a fee for the sender: for relayers that mix them.
    /// @param slots with proofs bound to their receivers
    /// @param receivers one for each
    /// @return done how many were accepted
    /// @custom:error LengthMismatch, ZeroAddress
    function withdrawThrough(Unused[] calldata slots, Receiver[] calldata receivers) external returns (uint256 done);

    /// @notice The same for many slots of one leaf by one proof, and for its units that make no slot. A third of the price of a proof a slot, and it shows that these
    /// slots are of one deposit. A part whose proof or root does not hold is skipped whole, under its first nullifier.
    /// @param parts each of one leaf
    /// @param receivers one for each; a part bears one fee, at its first slot
    /// @return done how many slots and rests were accepted
    /// @custom:error LengthMismatch, ZeroAddress
    function withdrawPart(Part[] calldata parts, Receiver[] calldata receivers) external returns (uint256 done);

    /// @notice Makes one leaf of small ones, at once: they hold no slot, so nobody can have been shown one. The new leaf is made here, of `idc` and of the units that the
    /// proof says they hold, less the fee.
    /// @param joinings each skipped whole, under its first nullifier, when any of it does not hold
    /// @return done how many leaves were made
    function join(Joining[] calldata joinings) external returns (uint256 done);

    /// @notice Pays withdrawn slots and rests to whom their proofs named, once the delay has passed. Anyone may.
    /// @param nullifiers of the slots and rests
    /// @return done how many were paid
    function finishWithdraw(uint256[] calldata nullifiers) external returns (uint256 done);

    /// @notice Burns the bond of a slot whose owner made two slot proofs for different things. The caller gets a tenth of it; the slot stays with its
    /// first binder.
    /// @param nullifier of the slot
    /// @param first one proof
    /// @param second another, bound to something else
    /// @custom:error UnknownRoot, NoConflict, BondGone
    function conflictOpenings(uint256 nullifier, Evidence calldata first, Evidence calldata second) external;

    /// @notice Burns the bond of a slot whose session key signed tickets for two providers. The caller gets a tenth of it.
    /// Where the slot is bound to the first provider and this session key, its bind has shown the opening and the first ticket: of these only keys and provider are read.
    /// @param opening that makes the session key the slot's
    /// @param first a ticket
    /// @param second a ticket for another provider
    /// @custom:error UnknownRoot, NoConflict, BondGone
    function conflictTickets(Opening calldata opening, SignedTicket calldata first, SignedTicket calldata second)
        external;

    /// @notice Sends a provider's winnings to its payout address in the registry. Anyone may.
    /// @param provider whose
    /// @return amount sent
    /// @custom:error NotRegistered, NothingDue
    function payout(address provider) external returns (uint256 amount);

    /// @notice Hands over what is held back of a provider's wins in the epoch before this one (SPEC §17.5). For the contract that judges service proofs, at a commitment.
    /// @param provider whose
    /// @return amount sent to the caller
    /// @custom:error NotProofs
    function takeHeld(address provider) external returns (uint256 amount);

    /// @notice Sends what is due to be burned to the burn address. Anyone may.
    /// @return amount burned
    /// @custom:error NothingDue
    function burn() external returns (uint256 amount);

    /// @notice All that was fixed at deployment. @return the parameters
    function parameters() external view returns (Parameters memory);

    /// @notice Names this pool in slot proofs (SPEC §13.1). @return a field element
    function domain() external view returns (uint256);

    /// @notice Names this pool in tickets (SPEC §13.1). @return 32 bytes
    function ticketDomain() external view returns (bytes32);

    /// @notice Names the profile (V, K, b) in leaves (SPEC §13.2). @return a field element
    function tag() external view returns (uint256);

    /// @notice A slot's word (SPEC §14.2). @param nullifier of the slot @return the word, zero for one never seen
    function slot(uint256 nullifier) external view returns (uint256);

    /// @notice What a provider has won and not been paid. @param provider whose @return the amount
    function credit(address provider) external view returns (uint256);

    /// @notice What is held back of a provider's wins and still here. @param provider whose
    /// @return due of the epoch before this one, which a commitment takes out
    /// @return open of this epoch
    /// @return lost of epochs to which it did not commit, burned with the next payout
    function held(address provider) external view returns (uint256 due, uint256 open, uint256 lost);

    /// @notice What may be burned now: of winnings that were paid out, and of bonds. @return the amount
    function unburned() external view returns (uint256);

    /// @notice From when to when a root was the newest.
    /// @param root in question
    /// @return publishedAt in seconds since 1970, 0 for never
    /// @return supersededAt when a newer one was published, 0 for the newest
    function rootTimes(uint256 root) external view returns (uint48 publishedAt, uint48 supersededAt);

    /// @notice The newest published root. @return root, 0 before the first
    function newestRoot() external view returns (uint256);

    /// @notice Leaves inserted so far, over all trees. @return count
    function leafCount() external view returns (uint64);
}
