// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {PoseidonT4} from "poseidon-solidity/PoseidonT4.sol";
import {IBywayPool} from "../IBywayPool.sol";
import {FIELD_ORDER} from "../lib/Field.sol";
import {LeafTree} from "../lib/LeafTree.sol";
import {PoolBase} from "./PoolBase.sol";

/// @dev Money in: leaves and published roots (SPEC §14.1). Every leaf is made here, from a commitment and an amount that the contract knows.
abstract contract PoolDeposits is PoolBase {
    using SafeERC20 for IERC20;
    using LeafTree for LeafTree.Tree;

    LeafTree.Tree private _tree;
    uint256 private _lastInterval;
    /// @inheritdoc IBywayPool
    uint256 public newestRoot;

    /// @inheritdoc IBywayPool
    function deposit(uint256 idc, uint32 limit) external returns (uint256 index) {
        if (!_isCommitment(idc)) revert BadCommitment();
        if (limit < _unitsPerSlot || limit > MAX_LIMIT) revert BadLimit();
        index = _insert(idc, limit);
        _token.safeTransferFrom(msg.sender, address(this), uint256(limit) * _unit);
    }

    /// @inheritdoc IBywayPool
    function snapshot() external returns (uint256 root) {
        uint256 interval = block.timestamp / _snapshotInterval;
        if (interval == _lastInterval) revert TooEarly();
        root = _tree.root(_treeDepth);
        if (root == 0 || rootTimes[root].publishedAt != 0) revert NothingNew();
        _lastInterval = interval;
        _publish(root);
    }

    /// @inheritdoc IBywayPool
    function leafCount() external view returns (uint64) {
        return _tree.count;
    }

    /// @dev Adds a leaf of `limit` units, which the pool holds.
    function _insert(uint256 idc, uint32 limit) internal returns (uint256 index) {
        uint256 leaf = PoseidonT4.hash([idc, limit, tag]);
        uint256 full;
        (index, full) = _tree.insert(leaf, _treeDepth);
        emit Inserted(index, leaf, idc, limit);
        if (full != 0) _publish(full);
    }

    function _isCommitment(uint256 idc) internal pure returns (bool) {
        return idc != 0 && idc < FIELD_ORDER;
    }

    function _publish(uint256 root) private {
        uint48 time = uint48(block.timestamp);
        if (newestRoot != 0) rootTimes[newestRoot].supersededAt = time;
        newestRoot = root;
        rootTimes[root] = RootTimes(time, 0);
        emit RootPublished(root, _tree.count, time);
    }
}
