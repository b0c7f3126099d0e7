// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IServiceAuditor} from "../../src/IServiceAuditor.sol";

/// @dev Believes a proof that is the hash of its statement, so that tests see which statement the contract asks about.
contract EchoAuditor is IServiceAuditor {
    function verify(Statement calldata statement, bytes calldata proof) external pure returns (bool) {
        return keccak256(proof) == keccak256(abi.encode(keccak256(abi.encode(statement))));
    }
}
