// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Who checks a service proof
/// @notice One question (SPEC §17.3). An implementation keeps no state and never reverts on bad input.
interface IServiceAuditor {
    /// @dev What a proof says. Its public signals, in this order.
    struct Statement {
        uint256[12] receiptKeys;
        address provider;
        uint256 epoch;
        uint256 root;
        uint256 total;
        uint256 maxUnits;
        uint256 beacon;
        uint256[12] nullifiers;
    }

    /// @notice Do the twelve units that the beacon draws each lie under a receipt for this provider and epoch, in the tree under this root?
    /// @param statement what is proved
    /// @param proof 256 bytes (`zk-programs/src/service-audit.circom`)
    /// @return true when the proof holds
    function verify(Statement calldata statement, bytes calldata proof) external view returns (bool);
}
