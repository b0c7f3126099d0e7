// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IAuthoriser} from "../IAuthoriser.sol";
import {IBywayPool} from "../IBywayPool.sol";
import {IBywayRegistry} from "../IBywayRegistry.sol";
import {BURN_ADDRESS} from "../lib/Field.sol";
import {ProofBytes} from "../lib/ProofBytes.sol";
import {SlotWord} from "../lib/SlotWord.sol";

/// @dev What was fixed at deployment, the slots, and what every part of the pool needs.
abstract contract PoolBase is IBywayPool {
    using SafeERC20 for IERC20;
    using SlotWord for uint256;

    /// @dev From when to when a root was the newest.
    struct RootTimes {
        uint48 publishedAt;
        uint48 supersededAt;
    }

    uint256 private constant MAX_TREE_DEPTH = 26;
    uint256 private constant MAX_FEE_BPS = 5000;
    /// @dev Credits have 96 bits.
    uint256 private constant MAX_WIN_VALUE = type(uint80).max;
    /// @dev Limits of leaves have 16 bits in the proofs of joining and withdrawing.
    uint256 internal constant MAX_LIMIT = type(uint16).max;

    IERC20 internal immutable _token;
    IBywayRegistry internal immutable _registry;
    IAuthoriser internal immutable _authoriser;
    uint96 internal immutable _winValue;
    uint8 internal immutable _winsPerSlot;
    uint96 internal immutable _bond;
    /// @dev What leaves and the fees of relayers count in.
    uint96 internal immutable _unit;
    uint96 private immutable _lockPenalty;
    uint16 private immutable _feeBps;
    uint8 internal immutable _treeDepth;
    uint32 internal immutable _snapshotInterval;
    uint32 private immutable _lockDuration;
    uint32 internal immutable _refundDelay;
    uint32 internal immutable _closeDelay;

    /// @dev Units of a slot, of one win and of the bond.
    uint256 internal immutable _unitsPerSlot;
    uint256 internal immutable _unitsPerWin;
    uint256 internal immutable _unitsPerBond;
    /// @dev What of each win is burned.
    uint96 internal immutable _burnedPerWin;
    /// @dev What of each win waits for its epoch's service proof, and who judges that.
    uint96 internal immutable _heldPerWin;
    /// @dev And what its provider gets, before the sender's fee.
    uint96 internal immutable _netPerWin;
    uint16 private immutable _holdBps;
    address internal immutable _proofs;
    uint32 internal immutable _epochDuration;

    /// @inheritdoc IBywayPool
    uint256 public immutable domain;
    /// @inheritdoc IBywayPool
    bytes32 public immutable ticketDomain;
    /// @inheritdoc IBywayPool
    uint256 public immutable tag;

    /// @inheritdoc IBywayPool
    mapping(uint256 nullifier => uint256) public slot;
    /// @inheritdoc IBywayPool
    mapping(uint256 root => RootTimes) public rootTimes;
    /// @inheritdoc IBywayPool
    uint256 public unburned;

    constructor(Parameters memory p) {
        if (p.token == address(0) || p.registry == address(0) || p.authoriser == address(0)) revert ZeroAddress();
        if (p.winValue == 0 || p.winsPerSlot == 0 || p.bond == 0 || p.unit == 0) revert BadParameters();
        if (p.winValue % p.bond != 0 || p.bond % p.unit != 0) revert BadParameters();
        if (p.winValue > MAX_WIN_VALUE || p.epochDuration == 0) revert BadParameters();
        if (uint256(p.feeBps) + p.holdBps >= MAX_FEE_BPS) revert BadParameters();
        if ((p.holdBps == 0) != (p.proofs == address(0))) revert BadParameters();
        if (p.treeDepth == 0 || p.treeDepth > MAX_TREE_DEPTH) revert BadParameters();
        if (p.snapshotInterval == 0 || p.lockDuration == 0) revert BadParameters();
        _token = IERC20(p.token);
        _registry = IBywayRegistry(p.registry);
        _authoriser = IAuthoriser(p.authoriser);
        (_winValue, _winsPerSlot, _bond, _unit) = (p.winValue, p.winsPerSlot, p.bond, p.unit);
        (_lockPenalty, _feeBps, _treeDepth) = (p.lockPenalty, p.feeBps, p.treeDepth);
        (_snapshotInterval, _lockDuration) = (p.snapshotInterval, p.lockDuration);
        (_refundDelay, _closeDelay) = (p.refundDelay, p.closeDelay);
        _unitsPerWin = p.winValue / p.unit;
        _unitsPerBond = p.bond / p.unit;
        _unitsPerSlot = _unitsPerWin * p.winsPerSlot + _unitsPerBond;
        if (_unitsPerSlot > MAX_LIMIT) revert BadParameters();
        _burnedPerWin = uint96((uint256(p.winValue) * p.feeBps) / 10_000);
        _heldPerWin = uint96((uint256(p.winValue) * p.holdBps) / 10_000);
        _netPerWin = p.winValue - _burnedPerWin - _heldPerWin;
        (_holdBps, _proofs, _epochDuration) = (p.holdBps, p.proofs, p.epochDuration);
        domain = uint256(sha256(abi.encodePacked("byway pool v1", block.chainid, address(this)))) >> 8;
        ticketDomain = sha256(abi.encodePacked("byway ticket v1", block.chainid, address(this)));
        tag = uint256(
            sha256(
                abi.encodePacked(
                    "byway profile v1", uint256(p.winValue), uint256(p.winsPerSlot), uint256(p.bond)
                )
            )
        ) >> 8;
        if (_registry.pool() != address(this)) revert WrongRegistry();
        if (_registry.unbondingDelay() <= p.lockDuration) revert BadParameters();
    }

    /// @inheritdoc IBywayPool
    function parameters() external view returns (Parameters memory) {
        return Parameters({
            token: address(_token),
            registry: address(_registry),
            authoriser: address(_authoriser),
            proofs: _proofs,
            winValue: _winValue,
            winsPerSlot: _winsPerSlot,
            bond: _bond,
            unit: _unit,
            lockPenalty: _lockPenalty,
            feeBps: _feeBps,
            holdBps: _holdBps,
            epochDuration: _epochDuration,
            treeDepth: _treeDepth,
            snapshotInterval: _snapshotInterval,
            lockDuration: _lockDuration,
            refundDelay: _refundDelay,
            closeDelay: _closeDelay
        });
    }

    /// @dev A slot's word; a lock that has lapsed is charged and turned into LAPSED first.
    function _current(uint256 nullifier) internal returns (uint256 word) {
        word = slot[nullifier];
        if (word.state() != SlotWord.LOCKED || block.timestamp < word.time() + _lockDuration) return word;
        address provider = word.holder();
        word = SlotWord.make(word, address(0), 0, 0, SlotWord.LAPSED);
        slot[nullifier] = word;
        emit Lapsed(nullifier, provider, _registry.slash(provider, _lockPenalty, BURN_ADDRESS));
    }

    /// @dev May an owner ask this slot back, or a provider lock it? NONE when it was never used.
    function _whyNotUnused(uint256 word) internal pure returns (Reason) {
        uint8 state = word.state();
        if (state == SlotWord.NONE || state == SlotWord.LAPSED) return Reason.NONE;
        if (word.isFinished()) return Reason.SLOT_FINISHED;
        if (state == SlotWord.REFUNDING || state == SlotWord.WITHDRAWING) return Reason.WRONG_STATE;
        return Reason.SLOT_TAKEN;
    }

    /// @dev Puts a proof among those to be judged, unless its root was never published.
    function _ask(bytes memory pending, uint256 root, uint256 nullifier, uint256 x, bytes calldata proof)
        internal
        view
        returns (Reason)
    {
        if (rootTimes[root].publishedAt == 0) return Reason.UNKNOWN_ROOT;
        ProofBytes.put(pending, root, nullifier, x, proof);
        return Reason.NONE;
    }

    /// @dev Room for all of these that may be judged.
    function _roomFor(Opening[] calldata openings) internal pure returns (uint256 bytes_) {
        for (uint256 i; i < openings.length; ++i) {
            bytes_ += ProofBytes.HEAD_BYTES + openings[i].proof.length;
        }
    }

    /// @dev Judges all at once. When that fails they are judged one by one, so that a bad proof spoils only itself.
    function _areAllProven(bytes memory pending) internal view returns (bool) {
        return pending.length == 0 || _authoriser.verifyAll(domain, pending);
    }

    /// @dev Does one opening hold on this chain, apart from its slot's state?
    function _whyNotProven(uint256 root, uint256 nullifier, uint256 x, bytes calldata proof)
        internal
        view
        returns (Reason)
    {
        if (rootTimes[root].publishedAt == 0) return Reason.UNKNOWN_ROOT;
        return _authoriser.verify(root, nullifier, domain, x, proof) ? Reason.NONE : Reason.BAD_PROOF;
    }

    /// @dev Counts an entry as done, or says why it was left out.
    function _count(uint256 nullifier, Reason reason) internal returns (uint256) {
        if (reason == Reason.NONE) return 1;
        emit Skipped(nullifier, reason);
        return 0;
    }

    function _send(address to, uint256 amount) internal {
        if (amount != 0) _token.safeTransfer(to, amount);
    }
}
