// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IAuthoriser} from "./IAuthoriser.sol";
import {IBywayPool} from "./IBywayPool.sol";
import {IBywayRegistry} from "./IBywayRegistry.sol";
import {IServiceAuditor} from "./IServiceAuditor.sol";
import {IServiceProofs} from "./IServiceProofs.sol";
import {BlockHeader} from "./lib/BlockHeader.sol";
import {BURN_ADDRESS, FIELD_ORDER} from "./lib/Field.sol";
import {ProofBytes} from "./lib/ProofBytes.sol";
import {Signatures} from "./lib/Signatures.sol";
import {Tickets} from "./lib/Tickets.sol";

/// @title Commitments to what was carried, and who answers for them
/// @dev Effects come before calls to other contracts; those called are fixed at deployment.
contract ServiceProofs is IServiceProofs {
    using SafeERC20 for IERC20;

    /// @dev Of a stake to who challenged a silent provider, and of a bond to who answered for another.
    uint96 private constant REWARD_DIVISOR = 10;
    /// @dev As for wins (IBywayPool).
    uint256 private constant MAX_FEE_PERCENT = 12;
    /// @dev A unit costs so many parts of a win, by the steps of SPEC §13.1.
    bytes8 private constant PRICE_STEPS = 0x0102030406080c10;
    uint256 private constant PRICE_PARTS = 4096;

    IBywayPool private immutable _pool;
    IBywayRegistry private immutable _registry;
    IERC20 private immutable _token;
    IAuthoriser private immutable _authoriser;
    IServiceAuditor private immutable _auditor;
    uint256 private immutable _domain;
    uint256 private immutable _winValue;
    uint256 private immutable _winsPerSlot;
    uint32 private immutable _epochDuration;
    uint32 private immutable _commitWindow;
    uint32 private immutable _beaconDelay;
    uint32 private immutable _beaconSpacing;
    uint8 private immutable _beaconRounds;
    uint32 private immutable _challengeWindow;
    uint32 private immutable _answerWindow;
    uint96 private immutable _challengeBond;

    mapping(address provider => mapping(uint32 epoch => Commitment)) private _commitments;
    /// @inheritdoc IServiceProofs
    mapping(uint32 epoch => uint256) public beacon;

    constructor(Parameters memory p) {
        if (p.pool == address(0) || p.auditor == address(0)) revert ZeroAddress();
        IBywayPool.Parameters memory pool = IBywayPool(p.pool).parameters();
        if (pool.proofs != address(this)) revert WrongContracts();
        if (IBywayRegistry(pool.registry).evidence() != address(this)) revert WrongContracts();
        if (p.commitWindow == 0 || p.commitWindow > pool.epochDuration) revert BadParameters();
        if (p.beaconSpacing == 0 || p.beaconRounds == 0 || p.challengeWindow == 0) revert BadParameters();
        if (p.answerWindow == 0) revert BadParameters();
        _pool = IBywayPool(p.pool);
        _registry = IBywayRegistry(pool.registry);
        _token = IERC20(pool.token);
        _authoriser = IAuthoriser(pool.authoriser);
        _auditor = IServiceAuditor(p.auditor);
        _domain = IBywayPool(p.pool).domain();
        (_winValue, _winsPerSlot) = (pool.winValue, pool.winsPerSlot);
        _epochDuration = pool.epochDuration;
        (_commitWindow, _beaconDelay, _beaconSpacing) = (p.commitWindow, p.beaconDelay, p.beaconSpacing);
        (_beaconRounds, _challengeWindow, _answerWindow) = (p.beaconRounds, p.challengeWindow, p.answerWindow);
        _challengeBond = p.challengeBond;
        // Whoever leaves right after a commitment can still be slashed for it.
        uint256 longest = _lastAnswer(0) - pool.epochDuration;
        if (_registry.unbondingDelay() < longest) revert BadParameters();
    }

    /// @inheritdoc IServiceProofs
    function commit(
        address provider,
        uint32 epoch,
        uint256 root,
        uint48 total,
        uint48 maxUnits,
        uint96 fee,
        bytes calldata signature
    ) external returns (uint96 earned) {
        uint256 end = _endOf(epoch);
        if (block.timestamp < end) revert TooEarly();
        if (block.timestamp >= end + _commitWindow) revert TooLate();
        if (root == 0 || root >= FIELD_ORDER || total == 0) revert BadCommitment();
        if (!_isPayable(maxUnits)) revert BadCommitment();
        if (msg.sender != provider) _mustBeSigned(provider, epoch, root, total, maxUnits, fee, signature);
        else if (fee != 0) revert FeeTooHigh();
        if (!_answersFor(provider, epoch)) revert NotActive();
        Commitment storage own = _commitments[provider][epoch];
        if (own.state != State.NONE) revert WrongState();
        (own.root, own.total, own.maxUnits, own.state) = (root, total, maxUnits, State.COMMITTED);
        uint96 held = uint96(_pool.takeHeld(provider));
        if (2 * uint256(fee) > held) revert FeeNotCovered();
        own.held = held - fee;
        emit Committed(provider, epoch, root, total, maxUnits, held);
        if (fee != 0) {
            own.fee = fee;
            _payFee(provider, epoch, fee);
        }
        return fee;
    }

    /// @inheritdoc IServiceProofs
    function draw(uint32 epoch, bytes calldata header, bytes calldata parent) external returns (uint256 drawn) {
        if (beacon[epoch] != 0) revert BeaconKnown();
        BlockHeader.Fields memory first = BlockHeader.read(header);
        bytes32 hash = keccak256(header);
        // `blockhash` is zero for what is not among the last 256.
        if (hash != blockhash(first.number) || first.parentHash != keccak256(parent)) revert BadHeader();
        uint256 start = beaconTime(epoch);
        if (first.time < start) revert TooEarly();
        uint256 round = (first.time - start) / _beaconSpacing;
        if (round >= _beaconRounds) revert TooLate();
        if (BlockHeader.read(parent).time >= start + round * _beaconSpacing) revert BadHeader();
        if (first.random == 0) revert NoRandomness();
        drawn = uint256(
            sha256(abi.encodePacked("byway beacon v1", block.chainid, address(this), epoch, first.random))
        ) >> 8;
        beacon[epoch] = drawn;
        emit BeaconDrawn(epoch, drawn);
    }

    /// @inheritdoc IServiceProofs
    function challenge(address provider, uint32 epoch) external {
        Commitment storage own = _commitments[provider][epoch];
        if (own.state != State.COMMITTED) revert WrongState();
        if (beacon[epoch] == 0) revert NoBeacon();
        if (block.timestamp >= challengeEnd(epoch)) revert TooLate();
        (own.state, own.challengedAt, own.challenger) = (State.CHALLENGED, uint48(block.timestamp), msg.sender);
        emit Challenged(provider, epoch, msg.sender, uint48(block.timestamp) + _answerWindow);
        _token.safeTransferFrom(msg.sender, address(this), _challengeBond);
    }

    /// @inheritdoc IServiceProofs
    function answer(address provider, uint32 epoch, IBywayPool.Opening[12] calldata openings, bytes calldata proof)
        external
        returns (uint96 earned)
    {
        Commitment storage own = _commitments[provider][epoch];
        if (own.state != State.CHALLENGED) revert WrongState();
        if (block.timestamp >= own.challengedAt + _answerWindow) revert TooLate();
        if (!_areSlots(openings)) revert BadProof();
        if (!_auditor.verify(_statementOf(provider, epoch, own, openings), proof)) revert BadProof();
        own.state = State.PROVEN;
        address to = _registry.payoutOf(provider);
        if (msg.sender != provider) earned = _challengeBond / REWARD_DIVISOR;
        emit Proven(provider, epoch, to, _challengeBond - earned);
        _token.safeTransfer(to, _challengeBond - earned);
        if (earned == 0) return 0;
        emit AnswerFeePaid(provider, epoch, msg.sender, earned);
        _token.safeTransfer(msg.sender, earned);
    }

    /// @inheritdoc IServiceProofs
    function slash(address provider, uint32 epoch) external {
        Commitment storage own = _commitments[provider][epoch];
        if (own.state != State.CHALLENGED) revert WrongState();
        if (block.timestamp < own.challengedAt + _answerWindow) revert TooEarly();
        own.state = State.FAILED;
        uint96 stake = _registry.node(provider).stake;
        uint96 reward = stake / REWARD_DIVISOR;
        emit Failed(provider, epoch, stake, reward);
        _registry.slash(provider, stake - reward, BURN_ADDRESS);
        _registry.slash(provider, reward, own.challenger);
        _token.safeTransfer(own.challenger, _challengeBond);
        _burn(provider, epoch, own.held);
    }

    /// @inheritdoc IServiceProofs
    function settle(address provider, uint32 epoch) external returns (uint96 earned) {
        Commitment storage own = _commitments[provider][epoch];
        State state = own.state;
        if (state != State.COMMITTED && state != State.PROVEN) revert WrongState();
        if (state == State.COMMITTED && block.timestamp < challengeEnd(epoch)) revert TooEarly();
        // What no beacon was drawn for was never at risk. Whoever wants its money draws one.
        bool isEarned = beacon[epoch] != 0;
        own.state = isEarned ? State.SETTLED : State.FAILED;
        if (!isEarned) {
            _burn(provider, epoch, own.held);
            return 0;
        }
        // Who is not the provider gets what the commitment's sender got.
        uint96 promised = own.fee;
        if (msg.sender != provider) earned = promised;
        address to = _registry.payoutOf(provider);
        uint96 left = own.held - earned;
        emit Released(provider, epoch, to, left, own.held + promised);
        if (left != 0) _token.safeTransfer(to, left);
        if (earned != 0) _payFee(provider, epoch, earned);
    }

    /// @inheritdoc IServiceProofs
    function parameters() external view returns (Parameters memory) {
        return Parameters({
            pool: address(_pool),
            auditor: address(_auditor),
            commitWindow: _commitWindow,
            beaconDelay: _beaconDelay,
            beaconSpacing: _beaconSpacing,
            beaconRounds: _beaconRounds,
            challengeWindow: _challengeWindow,
            answerWindow: _answerWindow,
            challengeBond: _challengeBond
        });
    }

    /// @inheritdoc IServiceProofs
    function commitment(address provider, uint32 epoch) external view returns (Commitment memory) {
        return _commitments[provider][epoch];
    }

    /// @inheritdoc IServiceProofs
    function beaconTime(uint32 epoch) public view returns (uint256) {
        return _endOf(epoch) + _commitWindow + _beaconDelay;
    }

    /// @inheritdoc IServiceProofs
    function challengeEnd(uint32 epoch) public view returns (uint256) {
        return beaconTime(epoch) + uint256(_beaconRounds) * _beaconSpacing + _challengeWindow;
    }

    function _endOf(uint32 epoch) private view returns (uint256) {
        return (uint256(epoch) + 1) * _epochDuration;
    }

    /// @dev When the last answer to a challenge of this epoch is due.
    function _lastAnswer(uint32 epoch) private view returns (uint256) {
        return challengeEnd(epoch) + _answerWindow;
    }

    /// @dev Has the provider nine tenths of the smallest stake, that stay until nobody can slash them for this epoch?
    function _answersFor(address provider, uint32 epoch) private view returns (bool) {
        if (_registry.isActive(provider)) return true;
        IBywayRegistry.Node memory node = _registry.node(provider);
        uint96 least = _registry.minStake();
        return node.stake >= least - least / 10 && node.unbondedAt > _lastAnswer(epoch);
    }

    /// @dev Whether the wins of a slot pay for so many units at one of the prices that a node may have.
    function _isPayable(uint256 units) private view returns (bool) {
        for (uint256 i; i < PRICE_STEPS.length; ++i) {
            uint256 price = (_winValue * uint8(PRICE_STEPS[i])) / PRICE_PARTS;
            if (price != 0 && units == (_winsPerSlot * _winValue) / price) return true;
        }
        return false;
    }

    function _mustBeSigned(
        address provider,
        uint32 epoch,
        uint256 root,
        uint48 total,
        uint48 maxUnits,
        uint96 fee,
        bytes calldata signature
    ) private view {
        if (uint256(fee) * 100 > _winValue * MAX_FEE_PERCENT) revert FeeTooHigh();
        bytes32 digest = sha256(
            abi.encodePacked("byway service v1", block.chainid, address(this), epoch, root, total, maxUnits, fee)
        );
        if (!Signatures.isBy(provider, digest, signature)) revert BadProviderSignature();
    }

    /// @dev Are the sampled slots anybody's? Without this a provider could sign receipts for slots that never were.
    function _areSlots(IBywayPool.Opening[12] calldata openings) private view returns (bool) {
        uint256 room;
        for (uint256 i; i < 12; ++i) {
            room += ProofBytes.HEAD_BYTES + openings[i].proof.length;
        }
        bytes memory packed = ProofBytes.room(room);
        for (uint256 i; i < 12; ++i) {
            IBywayPool.Opening calldata opening = openings[i];
            (uint48 publishedAt,) = _pool.rootTimes(opening.root);
            if (publishedAt == 0) return false;
            uint256 x = Tickets.openingX(opening.sessionKey, opening.receiptKey);
            ProofBytes.put(packed, opening.root, opening.nullifier, x, opening.proof);
        }
        return _authoriser.verifyAll(_domain, packed);
    }

    function _statementOf(
        address provider,
        uint32 epoch,
        Commitment storage own,
        IBywayPool.Opening[12] calldata openings
    ) private view returns (IServiceAuditor.Statement memory statement) {
        (statement.provider, statement.epoch, statement.beacon) = (provider, epoch, beacon[epoch]);
        (statement.root, statement.total, statement.maxUnits) = (own.root, own.total, own.maxUnits);
        for (uint256 i; i < 12; ++i) {
            statement.receiptKeys[i] = uint256(openings[i].receiptKey);
            statement.nullifiers[i] = openings[i].nullifier;
        }
    }

    /// @dev To who sends in the provider's place, out of what was held back.
    function _payFee(address provider, uint32 epoch, uint96 fee) private {
        emit HeldFeePaid(provider, epoch, msg.sender, fee);
        _token.safeTransfer(msg.sender, fee);
    }

    function _burn(address provider, uint32 epoch, uint96 amount) private {
        emit HeldBurned(provider, epoch, amount);
        if (amount != 0) _token.safeTransfer(BURN_ADDRESS, amount);
    }
}
