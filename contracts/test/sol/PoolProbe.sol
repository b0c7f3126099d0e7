// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IBywayPool} from "../../src/IBywayPool.sol";

/// @dev Reads a whole position in one call, which the property test does after every move.
contract PoolProbe {
    function position(
        IBywayPool pool,
        IERC20 token,
        uint256[] calldata nullifiers,
        address[] calldata providers,
        address[] calldata accounts
    )
        external
        view
        returns (
            uint256[] memory words,
            uint256[] memory credits,
            uint256[] memory held,
            uint256[] memory balances,
            uint256 unburned
        )
    {
        words = new uint256[](nullifiers.length);
        for (uint256 i; i < nullifiers.length; ++i) {
            words[i] = pool.slot(nullifiers[i]);
        }
        (credits, held) = (new uint256[](providers.length), new uint256[](providers.length));
        for (uint256 i; i < providers.length; ++i) {
            credits[i] = pool.credit(providers[i]);
            (uint256 due, uint256 open, uint256 lost) = pool.held(providers[i]);
            held[i] = due + open + lost;
        }
        balances = new uint256[](accounts.length);
        for (uint256 i; i < accounts.length; ++i) {
            balances[i] = token.balanceOf(accounts[i]);
        }
        unburned = pool.unburned();
    }
}
