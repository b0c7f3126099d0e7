// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {PoolBase} from "./pool/PoolBase.sol";
import {PoolClaims} from "./pool/PoolClaims.sol";
import {PoolConflicts} from "./pool/PoolConflicts.sol";
import {PoolLeaves} from "./pool/PoolLeaves.sol";

/// @title Deposits, slots and wins
/// @notice The whole pool, from its parts. What each call does is said in IBywayPool. Nobody owns it and nothing in it can be changed.
/// @dev Effects come before calls to other contracts; those called are fixed at deployment. The token must be a plain ERC-20: no fee on transfer,
/// no rebasing, no hooks.
contract BywayPool is PoolClaims, PoolLeaves, PoolConflicts {
    constructor(Parameters memory parameters_) PoolBase(parameters_) {}
}
