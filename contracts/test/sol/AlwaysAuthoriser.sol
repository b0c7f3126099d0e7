// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IAuthoriser} from "../../src/IAuthoriser.sol";

/// @dev Says yes to everything: shows what the pool itself costs, whatever kind of proof is behind it.
contract AlwaysAuthoriser is IAuthoriser {
    function verify(uint256, uint256, uint256, uint256, bytes calldata) external pure returns (bool) {
        return true;
    }

    function verifyAll(uint256, bytes calldata) external pure returns (bool) {
        return true;
    }

    function verifyUnused(uint256, UnusedStatement calldata, bytes calldata) external pure returns (bool) {
        return true;
    }

    function verifyJoin(JoinStatement calldata, bytes calldata) external pure returns (bool) {
        return true;
    }
}
