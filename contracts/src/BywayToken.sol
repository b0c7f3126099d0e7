// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title Test money for local networks
/// @notice Worth nothing: whoever deployed it makes as much as he likes. A real network names a real token.
contract BywayToken is ERC20 {
    /// @notice The only account that may mint: the deployer.
    address public immutable minter;

    /// @notice The caller is not the minter.
    error NotMinter();

    constructor() ERC20("Byway test token", "tBYW") {
        minter = msg.sender;
    }

    /// @notice Makes new test money.
    /// @param to who receives it
    /// @param amount in 10^-18 tokens
    /// @custom:error NotMinter when another than the deployer calls
    function mint(address to, uint256 amount) external {
        if (msg.sender != minter) revert NotMinter();
        _mint(to, amount);
    }
}
