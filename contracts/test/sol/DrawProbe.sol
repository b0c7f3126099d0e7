// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Tickets} from "../../src/lib/Tickets.sol";

/// @dev Draws many tickets in one call, to compare them with the same draws in TypeScript.
contract DrawProbe {
    struct Draw {
        bytes32 digest;
        bytes32 reveal;
        uint96 amount;
    }

    /// @notice One byte, 0 or 1, for each draw.
    function drawAll(Draw[] calldata draws, uint96 winValue) external view returns (bytes memory wins) {
        wins = new bytes(draws.length);
        for (uint256 i; i < draws.length; ++i) {
            bool isWin = Tickets.isWin(draws[i].digest, draws[i].reveal, draws[i].amount, winValue);
            wins[i] = isWin ? bytes1(0x01) : bytes1(0x00);
        }
    }
}
