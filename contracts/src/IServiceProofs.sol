// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IBywayPool} from "./IBywayPool.sol";

/// @title Commitments to what was carried, and who answers for them
/// @notice Once an epoch a provider commits to the sum tree of its receipts; a beacon that nobody knew then draws twelve units of it; whoever doubts the proof that
/// the provider publishes forces it on the chain (SPEC §17.5). What the pool held back of the epoch's wins is paid when the commitment has stood, and burned when it
/// has not. No owner, no upgrade, no pause. Times are seconds, amounts the token's smallest part.
///
/// An epoch's times follow from its number alone: it ends, commitments may be made for `commitWindow`, and `beaconDelay` later the first of `beaconRounds` rounds
/// begins, one every `beaconSpacing`. The beacon is that of the first round that anybody writes down. After the last round challenges may come for `challengeWindow`.
interface IServiceProofs {
    /// @dev Where a commitment is.
    enum State {
        NONE,
        COMMITTED, // may be challenged once there is a beacon
        CHALLENGED, // must be answered in time
        PROVEN, // the proof was on the chain
        SETTLED, // stood or was proven, and what was held back is paid
        FAILED // no answer, or no beacon: what was held back is burned
    }

    /// @dev One provider's epoch.
    struct Commitment {
        uint256 root;
        uint48 total; // units
        uint48 maxUnits; // of a slot
        uint96 held; // taken out of the pool, less the fee of the commitment's sender
        State state;
        uint48 challengedAt;
        address challenger;
        uint96 fee; // promised to who settles
    }

    /// @dev All that was fixed at deployment.
    struct Parameters {
        address pool;
        address auditor; // an IServiceAuditor
        uint32 commitWindow; // at most an epoch
        uint32 beaconDelay; // so that no commitment is undone by a reorganisation after the draw
        uint32 beaconSpacing; // longer than 256 blocks take
        uint8 beaconRounds;
        uint32 challengeWindow;
        uint32 answerWindow;
        uint96 challengeBond;
    }

    /// @notice A provider committed; `held` of its wins waits with it.
    event Committed(
        address indexed provider, uint32 indexed epoch, uint256 root, uint48 total, uint48 maxUnits, uint96 held
    );
    /// @notice The epoch's beacon is known.
    event BeaconDrawn(uint32 indexed epoch, uint256 beacon);
    /// @notice The proof must be on the chain until `deadline`.
    event Challenged(address indexed provider, uint32 indexed epoch, address indexed challenger, uint48 deadline);
    /// @notice It was, and of the challenger's bond `bond` went to `to`.
    event Proven(address indexed provider, uint32 indexed epoch, address to, uint96 bond);
    /// @notice It was not: `slashed` was taken of the stake, of which the challenger got `reward`.
    event Failed(address indexed provider, uint32 indexed epoch, uint96 slashed, uint96 reward);
    /// @notice What was held back went to the payout address: `amount` of `held`, the rest as fees to who sent the commitment and settled.
    event Released(address indexed provider, uint32 indexed epoch, address to, uint96 amount, uint96 held);
    /// @notice Of what was held back a fee went to who sent the commitment, or settled, in the provider's place.
    event HeldFeePaid(address indexed provider, uint32 indexed epoch, address to, uint96 amount);
    /// @notice Of the challenger's bond a part went to who answered in the provider's place.
    event AnswerFeePaid(address indexed provider, uint32 indexed epoch, address to, uint96 amount);
    /// @notice What was held back is burned.
    event HeldBurned(address indexed provider, uint32 indexed epoch, uint96 amount);

    /// @notice Delays that cannot be: see `Parameters`; or a stake that could be gone before the last answer is due.
    error BadParameters();
    /// @notice Pool or registry know another contract.
    error WrongContracts();
    /// @notice An address is zero.
    error ZeroAddress();
    /// @notice The time for this has not come.
    error TooEarly();
    /// @notice The time for this is over.
    error TooLate();
    /// @notice Neither the provider nor signed by it.
    error BadProviderSignature();
    /// @notice No stake that stays long enough to answer for this.
    error NotActive();
    /// @notice Zero, no field element, or units that no price makes of a slot.
    error BadCommitment();
    /// @notice More than 12 % of a win, or a fee where the provider itself calls.
    error FeeTooHigh();
    /// @notice What is held back does not cover the fee twice: of who commits, and of who settles.
    error FeeNotCovered();
    /// @notice The commitment is not in the state that this call needs.
    error WrongState();
    /// @notice The epoch's beacon is there already.
    error BeaconKnown();
    /// @notice The epoch's beacon was not drawn.
    error NoBeacon();
    /// @notice Not the headers of the first block of a round and of the one before it, or too old.
    error BadHeader();
    /// @notice This chain has no randomness of its own (EIP-4399).
    error NoRandomness();
    /// @notice A sampled slot's root was never published, or one of the proofs does not hold.
    error BadProof();

    /// @notice Commits to the receipts of an epoch that has ended. The first is final. What the pool holds back of that epoch's wins comes along.
    /// @param provider whose
    /// @param epoch the last one
    /// @param root of the sum tree (SPEC §17.2)
    /// @param total units under it, above zero
    /// @param maxUnits the most that one slot pays for at one of the prices that a node may have (SPEC §13.1)
    /// @param fee to who sends this in the provider's place, at once out of what was held back, and as much to who settles; 0 where the provider itself calls
    /// @param signature the provider key's over `H("byway service v1" ‖ u256 chainId ‖ this[20] ‖ u32 epoch ‖ u256 root ‖ u48 total ‖ u48 maxUnits ‖ u96 fee)`, 65 bytes;
    /// empty where the provider itself calls
    /// @return earned what the sender got
    /// @custom:error TooEarly, TooLate, FeeTooHigh, BadProviderSignature, NotActive, BadCommitment, WrongState, FeeNotCovered
    function commit(
        address provider,
        uint32 epoch,
        uint256 root,
        uint48 total,
        uint48 maxUnits,
        uint96 fee,
        bytes calldata signature
    ) external returns (uint96 earned);

    /// @notice Writes down the beacon of an epoch, from the first block at or after the beginning of a round. Anyone may, while that block is among the last 256.
    /// @param epoch in question
    /// @param header of that block, RLP
    /// @param parent header of the block before it
    /// @return beacon a field element
    /// @custom:error BeaconKnown, TooEarly, TooLate, BadHeader, NoRandomness
    function draw(uint32 epoch, bytes calldata header, bytes calldata parent) external returns (uint256 beacon);

    /// @notice Forces a proof on the chain within `answerWindow`. The caller has approved `challengeBond` and loses it when the proof comes.
    /// @param provider whose commitment
    /// @param epoch of it
    /// @custom:error WrongState, NoBeacon, TooLate
    function challenge(address provider, uint32 epoch) external;

    /// @notice Answers a challenge. Anyone may: the proof and the openings are what the provider publishes anyway. The challenger's bond goes to the payout address, a tenth of it
    /// to who answers in the provider's place.
    /// @param provider whose commitment
    /// @param epoch of it
    /// @param openings of the twelve sampled slots, in the order of the samples
    /// @param proof 256 bytes
    /// @return earned what the sender got
    /// @custom:error WrongState, TooLate, BadProof
    function answer(address provider, uint32 epoch, IBywayPool.Opening[12] calldata openings, bytes calldata proof)
        external
        returns (uint96 earned);

    /// @notice Slashes the whole stake of a provider that did not answer in time. A tenth, and the bond, go to the challenger; the rest is burned. Anyone may.
    /// @param provider whose commitment
    /// @param epoch of it
    /// @custom:error WrongState, TooEarly
    function slash(address provider, uint32 epoch) external;

    /// @notice Pays what was held back, once the commitment was proven or stood unchallenged; burns it where no beacon was drawn. Anyone may, and gets the fee that the
    /// commitment promised out of what is paid.
    /// @param provider whose commitment
    /// @param epoch of it
    /// @return earned what the sender got
    /// @custom:error WrongState, TooEarly
    function settle(address provider, uint32 epoch) external returns (uint96 earned);

    /// @notice All that was fixed at deployment. @return the parameters
    function parameters() external view returns (Parameters memory);

    /// @notice One provider's epoch. @param provider whose @param epoch of it @return the commitment, its state NONE where there is none
    function commitment(address provider, uint32 epoch) external view returns (Commitment memory);

    /// @notice The beacon of an epoch. @param epoch of it @return a field element, 0 where none was drawn
    function beacon(uint32 epoch) external view returns (uint256);

    /// @notice When an epoch's first round begins. @param epoch of it @return seconds since 1970
    function beaconTime(uint32 epoch) external view returns (uint256);

    /// @notice Until when an epoch's commitments may be challenged; they are settled after it. @param epoch of it @return seconds since 1970
    function challengeEnd(uint32 epoch) external view returns (uint256);
}
