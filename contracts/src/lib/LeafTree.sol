// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {PoseidonT3} from "poseidon-solidity/PoseidonT3.sol";

/// @dev The leaf tree of SPEC §13.2, appended to only. Kept as the peaks of its full subtrees, so that an insertion costs one
/// hash on average; the root is made when it is published. Its roots are those of a LeanIMT: a node without a right
/// sibling moves up as it is. Equal leaves may stand twice: refusing them would let a stranger, who deposits under the
/// same destination first, stop a refund. A full tree is followed by an empty one.
library LeafTree {
    struct Tree {
        uint64 count; // leaves ever inserted, over all trees
        mapping(uint256 level => uint256) peaks;
    }

    /// @dev Appends a leaf. `full` is the finished tree's root when this leaf was its last, else zero.
    function insert(Tree storage tree, uint256 leaf, uint256 depth) internal returns (uint256 index, uint256 full) {
        index = tree.count++;
        uint256 place = index & ((1 << depth) - 1);
        uint256 level;
        uint256 node = leaf;
        while ((place >> level) & 1 == 1) {
            node = PoseidonT3.hash([tree.peaks[level], node]);
            ++level;
        }
        tree.peaks[level] = node;
        if (level == depth) full = node;
    }

    /// @dev Root of the tree that is being filled; zero while it is empty.
    function root(Tree storage tree, uint256 depth) internal view returns (uint256 node) {
        uint256 size = tree.count & ((1 << depth) - 1);
        for (uint256 level; size >> level != 0; ++level) {
            if ((size >> level) & 1 == 0) continue;
            uint256 peak = tree.peaks[level];
            node = node == 0 ? peak : PoseidonT3.hash([peak, node]);
        }
    }
}
