// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IServiceAuditor} from "./IServiceAuditor.sol";
import {Groth16} from "./lib/Groth16.sol";
import {ServiceAuditKey} from "./lib/ServiceAuditKey.sol";

/// @title Service proofs in zero knowledge
/// @notice Checks one proof of `zk-programs/src/service-audit.circom`. The key's set-up decides what it is worth: under a development set-up anybody can forge, so that it
/// deploys on chain id 31337 only.
contract ServiceAuditor is IServiceAuditor {
    uint256 private constant LOCAL_CHAIN_ID = 31337;
    uint256 private constant SAMPLES = 12;

    /// @notice The key comes of a development set-up, and this is a real chain.
    error DevelopmentSetUp();

    /// @custom:error DevelopmentSetUp
    constructor() {
        if (ServiceAuditKey.IS_DEVELOPMENT && block.chainid != LOCAL_CHAIN_ID) revert DevelopmentSetUp();
    }

    /// @inheritdoc IServiceAuditor
    function verify(Statement calldata statement, bytes calldata proof) external view returns (bool) {
        uint256[] memory inputs = new uint256[](2 * SAMPLES + 6);
        for (uint256 i; i < SAMPLES; ++i) {
            inputs[i] = statement.receiptKeys[i];
            inputs[SAMPLES + 6 + i] = statement.nullifiers[i];
        }
        inputs[SAMPLES] = uint160(statement.provider);
        inputs[SAMPLES + 1] = statement.epoch;
        inputs[SAMPLES + 2] = statement.root;
        inputs[SAMPLES + 3] = statement.total;
        inputs[SAMPLES + 4] = statement.maxUnits;
        inputs[SAMPLES + 5] = statement.beacon;
        return Groth16.verify(ServiceAuditKey.key(), inputs, proof);
    }
}
