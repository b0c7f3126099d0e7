// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Which nodes have a stake
/// @notice Each provider has one registration: one stake, one live node id (SPEC §14.6). Three keys are apart: the *provider* key is hot and
/// signs claims, the *owner* key is cold and moves money, the *node id* is the Ed25519 key of SPEC §2.
interface IBywayRegistry {
    /// @param stake in the token's smallest part
    /// @param unbondedAt when the stake can be taken back, seconds since 1970; 0 while it is bonded
    /// @param nextPayoutFrom when `nextPayout` takes effect, seconds since 1970
    /// @param owner who registered; the only one who may move the stake or the payout address
    /// @param nodeId Ed25519 public key of the node; zero when the node has left
    /// @param payout where winnings go until then
    /// @param nextPayout zero without a change
    struct Node {
        uint96 stake;
        uint48 unbondedAt;
        uint48 nextPayoutFrom;
        address owner;
        bytes32 nodeId;
        address payout;
        address nextPayout;
    }

    /// @notice A provider was registered, for the first time or again.
    event Registered(
        address indexed provider, bytes32 indexed nodeId, address indexed owner, address payout, uint96 stake
    );
    /// @notice The stake is now `stake`, raised by its owner.
    event StakeAdded(address indexed provider, uint96 stake);
    /// @notice The node leaves; its stake is free at `unbondedAt`.
    event Unbonding(address indexed provider, bytes32 indexed nodeId, uint48 unbondedAt);
    /// @notice The node has left and its owner has the stake back.
    event StakeWithdrawn(address indexed provider, bytes32 indexed nodeId, uint96 amount);
    /// @notice Winnings go to `payout` from `from` on. `from` in the past withdraws a pending change.
    event PayoutChange(address indexed provider, address payout, uint48 from);
    /// @notice `amount` was taken from the stake by `slasher` and went to `to`; `stake` is left.
    event Slashed(address indexed provider, address indexed slasher, uint96 amount, address to, uint96 stake);

    /// @notice This provider has a live registration.
    error AlreadyRegistered();
    /// @notice No such provider.
    error NotRegistered();
    /// @notice Only the owner of the registration may do this.
    error NotOwner();
    /// @notice Only the pool and the evidence contract may take a stake.
    error NotSlasher();
    /// @notice Less than the smallest stake.
    error StakeTooSmall();
    /// @notice An address or a node id is zero.
    error ZeroAddress();
    /// @notice The provider's key did not sign this registration.
    error BadProviderSignature();
    /// @notice The node is leaving already.
    error AlreadyUnbonding();
    /// @notice The stake is bonded, or the delay has not passed.
    error StillBonded();
    /// @notice These are no two editions of the provider's node under one number (SPEC §10.1).
    error NotDouble();
    /// @notice Two editions under this number, or a higher one, were shown before.
    error AlreadyShown();
    /// @notice The node did not sign this edition.
    error BadEdition();
    /// @notice No smallest stake, a delay above a year, or unbonding that is shorter than a change of the payout address.
    error BadParameters();

    /// @notice The pool. @return its address, fixed at deployment
    function pool() external view returns (address);

    /// @notice The contract that judges evidence against nodes (zero when there is none). @return its address, fixed at deployment
    function evidence() external view returns (address);

    /// @notice What a node registers with at least, in the token's smallest part. It stays active down to nine tenths of it, so that the
    /// fee of a lock does not put it out of service. @return the amount
    function minStake() external view returns (uint96);

    /// @notice How long a stake stays slashable after `unbond`, seconds. @return the delay
    function unbondingDelay() external view returns (uint32);

    /// @notice How long a change of the payout address waits, seconds. @return the delay
    function payoutDelay() external view returns (uint32);

    /// @notice Puts a node under stake (SPEC §14.6). The caller becomes its owner, and has approved `stake` of the token. A provider that
    /// has left comes back only under the same owner, so that a stolen provider key cannot claim what is still owed.
    /// @param provider address of the hot key that signs claims
    /// @param nodeId Ed25519 key. Not unique: a descriptor names its provider, and only that registration counts (SPEC §10.1)
    /// @param payout where winnings go; best neither of the other keys
    /// @param stake at least `minStake`
    /// @param signature the provider key's over `H("byway register v1" ‖ u256 chainId ‖ registry[20] ‖ owner[20] ‖ nodeId ‖ payout[20])`, 65 bytes:
    /// nobody registers another's key
    /// @custom:error ZeroAddress, StakeTooSmall, BadProviderSignature, AlreadyRegistered, NotOwner
    function register(address provider, bytes32 nodeId, address payout, uint96 stake, bytes calldata signature)
        external;

    /// @notice Adds to the stake. Only the owner; not while unbonding.
    /// @param provider whose
    /// @param amount of the token, approved before
    /// @custom:error NotOwner, AlreadyUnbonding, NotRegistered
    function addStake(address provider, uint96 amount) external;

    /// @notice Starts a change of the payout address; it takes effect by itself after `payoutDelay`. A second call starts anew; naming the present
    /// address withdraws a pending change. Only the owner: a stolen provider key cannot send winnings elsewhere.
    /// @param provider whose
    /// @param payout the new address
    /// @custom:error NotOwner, ZeroAddress, NotRegistered
    function changePayout(address provider, address payout) external;

    /// @notice Leaves the network: inactive at once, the stake is free after `unbondingDelay` and slashable until then. Only the owner.
    /// @param provider whose
    /// @custom:error NotOwner, AlreadyUnbonding, NotRegistered
    function unbond(address provider) external;

    /// @notice Gives the stake back to the owner. The payout address stays, for what the pool still owes. Only the owner.
    /// @param provider whose
    /// @custom:error NotOwner, StillBonded, NotRegistered
    function withdrawStake(address provider) external;

    /// @notice Takes from a stake, at most what is there. For the pool (lapsed locks, fees of locks) and the evidence contract only.
    /// Never reverts for them, or a provider without stake could hold up others' refunds.
    /// @param provider whose
    /// @param amount wanted
    /// @param to who receives it; the burn address for a penalty
    /// @return taken what was there, at most `amount`
    /// @custom:error NotSlasher
    function slash(address provider, uint96 amount, address to) external returns (uint96 taken);

    /// @notice Shows two different editions of a node's descriptor that it signed under one number (SPEC §10.1). Half of the stake is taken: a tenth of it goes to the
    /// caller, the rest is burned. For each number once, and for none below one that was shown. Anybody may.
    /// @param provider that the first edition names, and whose registration names the node
    /// @param first a whole descriptor, as it was spread
    /// @param second another
    /// @custom:error NotRegistered, NotDouble, AlreadyShown, BadEdition
    function slashEditions(address provider, bytes calldata first, bytes calldata second) external;

    /// @notice Registered, not unbonding, and with at least nine tenths of `minStake`.
    /// @param provider whose
    /// @return whether it may lock slots and be on paths
    function isActive(address provider) external view returns (bool);

    /// @notice What a stake has above nine tenths of `minStake`: fees of locks are paid from it, so that the rest stays for who has evidence.
    /// @param provider whose
    /// @return the amount, zero for a provider without a stake
    function spareStake(address provider) external view returns (uint96);

    /// @notice Where winnings go now; zero for a provider that was never registered. Outlives the stake.
    /// @param provider whose
    /// @return the address
    function payoutOf(address provider) external view returns (address);

    /// @notice The registration as it is stored.
    /// @param provider whose
    /// @return the record; its owner is zero for a provider that was never registered
    function node(address provider) external view returns (Node memory);
}
