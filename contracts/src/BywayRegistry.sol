// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IBywayRegistry} from "./IBywayRegistry.sol";
import {Editions} from "./lib/Editions.sol";
import {BURN_ADDRESS} from "./lib/Field.sol";
import {Signatures} from "./lib/Signatures.sol";

/// @title Which nodes have a stake
/// @dev The token must be a plain ERC-20: no fee on transfer, no rebasing, no hooks.
contract BywayRegistry is IBywayRegistry {
    using SafeERC20 for IERC20;

    uint32 private constant MAX_DELAY = 365 days;
    /// @dev Of the stake, for two editions under one number: more than its node may lose and stay active.
    uint96 private constant EDITIONS_DIVISOR = 2;
    /// @dev Of what is taken, to whoever shows them.
    uint96 private constant REWARD_DIVISOR = 10;

    IERC20 public immutable token;
    /// @inheritdoc IBywayRegistry
    address public immutable pool;
    /// @inheritdoc IBywayRegistry
    address public immutable evidence;
    /// @inheritdoc IBywayRegistry
    uint96 public immutable minStake;
    /// @inheritdoc IBywayRegistry
    uint32 public immutable unbondingDelay;
    /// @inheritdoc IBywayRegistry
    uint32 public immutable payoutDelay;
    /// @dev What a node keeps that is active: nine tenths of the smallest stake.
    uint96 private immutable _leastStake;

    mapping(address provider => Node) private _nodes;
    /// @dev One above the highest number of which two editions were shown.
    mapping(bytes32 nodeId => uint256) private _shownBelow;

    /// @param token_ the stake's token
    /// @param pool_ address that the pool will have; it is deployed after this
    /// @param evidence_ a contract that judges evidence, or zero
    /// @param minStake_ smallest stake of an active node
    /// @param unbondingDelay_ seconds, longer than the pool's locks
    /// @param payoutDelay_ seconds
    /// @custom:error BadParameters, ZeroAddress
    constructor(
        IERC20 token_,
        address pool_,
        address evidence_,
        uint96 minStake_,
        uint32 unbondingDelay_,
        uint32 payoutDelay_
    ) {
        if (address(token_) == address(0) || pool_ == address(0)) revert ZeroAddress();
        if (minStake_ == 0 || unbondingDelay_ > MAX_DELAY || unbondingDelay_ < payoutDelay_) revert BadParameters();
        (token, pool, evidence) = (token_, pool_, evidence_);
        (minStake, unbondingDelay, payoutDelay) = (minStake_, unbondingDelay_, payoutDelay_);
        _leastStake = minStake_ - minStake_ / 10;
    }

    /// @inheritdoc IBywayRegistry
    function register(address provider, bytes32 nodeId, address payout, uint96 stake, bytes calldata signature)
        external
    {
        if (provider == address(0) || nodeId == 0 || payout == address(0)) revert ZeroAddress();
        if (stake < minStake) revert StakeTooSmall();
        bytes32 digest = sha256(
            abi.encodePacked("byway register v1", block.chainid, address(this), msg.sender, nodeId, payout)
        );
        if (!Signatures.isBy(provider, digest, signature)) revert BadProviderSignature();
        Node storage own = _nodes[provider];
        if (own.nodeId != 0) revert AlreadyRegistered();
        if (own.owner != address(0) && own.owner != msg.sender) revert NotOwner();
        _nodes[provider] = Node(stake, 0, 0, msg.sender, nodeId, payout, address(0));
        emit Registered(provider, nodeId, msg.sender, payout, stake);
        token.safeTransferFrom(msg.sender, address(this), stake);
    }

    /// @inheritdoc IBywayRegistry
    function addStake(address provider, uint96 amount) external {
        Node storage own = _owned(provider);
        if (own.unbondedAt != 0) revert AlreadyUnbonding();
        own.stake += amount;
        emit StakeAdded(provider, own.stake);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IBywayRegistry
    function changePayout(address provider, address payout) external {
        Node storage own = _nodes[provider];
        if (own.owner == address(0)) revert NotRegistered();
        if (own.owner != msg.sender) revert NotOwner();
        if (payout == address(0)) revert ZeroAddress();
        own.payout = payoutOf(provider);
        (own.nextPayout, own.nextPayoutFrom) = (payout, uint48(block.timestamp) + payoutDelay);
        if (payout == own.payout) (own.nextPayout, own.nextPayoutFrom) = (address(0), 0);
        emit PayoutChange(provider, payout, own.nextPayoutFrom);
    }

    /// @inheritdoc IBywayRegistry
    function unbond(address provider) external {
        Node storage own = _owned(provider);
        if (own.unbondedAt != 0) revert AlreadyUnbonding();
        own.unbondedAt = uint48(block.timestamp) + unbondingDelay;
        emit Unbonding(provider, own.nodeId, own.unbondedAt);
    }

    /// @inheritdoc IBywayRegistry
    function withdrawStake(address provider) external {
        Node storage own = _owned(provider);
        if (own.unbondedAt == 0 || block.timestamp < own.unbondedAt) revert StillBonded();
        uint96 amount = own.stake;
        emit StakeWithdrawn(provider, own.nodeId, amount);
        (own.nodeId, own.stake, own.unbondedAt) = (0, 0, 0);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IBywayRegistry
    function slash(address provider, uint96 amount, address to) external returns (uint96 taken) {
        if (msg.sender != pool && msg.sender != evidence) revert NotSlasher();
        Node storage own = _nodes[provider];
        taken = amount < own.stake ? amount : own.stake;
        if (taken != 0) _take(own, provider, taken, to);
    }

    /// @inheritdoc IBywayRegistry
    function slashEditions(address provider, bytes calldata first, bytes calldata second) external {
        Node storage own = _nodes[provider];
        bytes32 nodeId = own.nodeId;
        if (nodeId == 0) revert NotRegistered();
        if (!Editions.isOf(first, nodeId) || !Editions.isOf(second, nodeId)) revert NotDouble();
        uint64 number = Editions.numberOf(first);
        if (Editions.numberOf(second) != number || Editions.providerOf(first) != provider) revert NotDouble();
        if (Editions.contentHash(first) == Editions.contentHash(second)) revert NotDouble();
        if (number < _shownBelow[nodeId]) revert AlreadyShown();
        if (!Editions.isSigned(first) || !Editions.isSigned(second)) revert BadEdition();
        _shownBelow[nodeId] = uint256(number) + 1;
        uint96 taken = own.stake / EDITIONS_DIVISOR;
        uint96 reward = taken / REWARD_DIVISOR;
        _take(own, provider, taken - reward, BURN_ADDRESS);
        _take(own, provider, reward, msg.sender);
    }

    /// @inheritdoc IBywayRegistry
    function isActive(address provider) external view returns (bool) {
        Node storage own = _nodes[provider];
        return own.stake >= _leastStake && own.unbondedAt == 0;
    }

    /// @inheritdoc IBywayRegistry
    function spareStake(address provider) external view returns (uint96) {
        uint96 stake = _nodes[provider].stake;
        return stake > _leastStake ? stake - _leastStake : 0;
    }

    /// @inheritdoc IBywayRegistry
    function payoutOf(address provider) public view returns (address) {
        Node storage own = _nodes[provider];
        bool isDue = own.nextPayout != address(0) && block.timestamp >= own.nextPayoutFrom;
        return isDue ? own.nextPayout : own.payout;
    }

    /// @inheritdoc IBywayRegistry
    function node(address provider) external view returns (Node memory) {
        return _nodes[provider];
    }

    function _take(Node storage own, address provider, uint96 amount, address to) private {
        own.stake -= amount;
        emit Slashed(provider, msg.sender, amount, to, own.stake);
        token.safeTransfer(to, amount);
    }

    /// @dev A live registration of the caller's.
    function _owned(address provider) private view returns (Node storage own) {
        own = _nodes[provider];
        if (own.nodeId == 0) revert NotRegistered();
        if (own.owner != msg.sender) revert NotOwner();
    }
}
