// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IAuthoriser} from "./IAuthoriser.sol";
import {Groth16} from "./lib/Groth16.sol";
import {JoinKey} from "./lib/JoinKey.sol";
import {WithdrawUnusedKey} from "./lib/WithdrawUnusedKey.sol";

/// @dev The two statements about leaves in zero knowledge, which every authoriser has: what differs among them is who may use a slot.
abstract contract LeafProofs is IAuthoriser {
    uint256 internal constant LOCAL_CHAIN_ID = 31337;
    uint256 private constant MAX_UNITS_PER_SLOT = 2 ** 16;

    /// @notice Name of the profile whose leaves it knows (SPEC §13.2).
    uint256 public immutable tag;
    /// @notice Units of one slot, S/u.
    uint256 public immutable unitsPerSlot;

    /// @notice S/u must be a whole number below 2^16, or the programs' range checks would not hold.
    error BadProfile();

    /// @param winValue V
    /// @param winsPerSlot K
    /// @param bond b
    /// @param unit u
    /// @custom:error BadProfile
    constructor(uint256 winValue, uint256 winsPerSlot, uint256 bond, uint256 unit) {
        uint256 size = winsPerSlot * winValue + bond;
        if (bond == 0 || unit == 0 || size % bond != 0 || bond % unit != 0) revert BadProfile();
        if (size / unit >= MAX_UNITS_PER_SLOT) revert BadProfile();
        tag = uint256(sha256(abi.encodePacked("byway profile v1", winValue, winsPerSlot, bond))) >> 8;
        unitsPerSlot = size / unit;
    }

    /// @inheritdoc IAuthoriser
    function verifyUnused(uint256 domain, UnusedStatement calldata statement, bytes calldata proof)
        external
        view
        returns (bool)
    {
        uint256[] memory inputs = new uint256[](23);
        inputs[0] = statement.root;
        for (uint256 i; i < 16; ++i) {
            inputs[1 + i] = statement.nullifiers[i];
        }
        inputs[17] = statement.rest;
        inputs[18] = statement.restUnits;
        inputs[19] = domain;
        inputs[20] = statement.x;
        inputs[21] = tag;
        inputs[22] = unitsPerSlot;
        return Groth16.verify(WithdrawUnusedKey.key(), inputs, proof);
    }

    /// @inheritdoc IAuthoriser
    function verifyJoin(JoinStatement calldata statement, bytes calldata proof) external view returns (bool) {
        uint256[] memory inputs = new uint256[](9);
        for (uint256 i; i < 4; ++i) {
            inputs[i] = statement.rests[i];
        }
        inputs[4] = statement.units;
        inputs[5] = statement.root;
        inputs[6] = statement.x;
        inputs[7] = tag;
        inputs[8] = unitsPerSlot;
        return Groth16.verify(JoinKey.key(), inputs, proof);
    }
}
