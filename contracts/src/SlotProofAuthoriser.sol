// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IAuthoriser} from "./IAuthoriser.sol";
import {LeafProofs} from "./LeafProofs.sol";
import {Groth16Batch} from "./lib/Groth16Batch.sol";
import {JoinKey} from "./lib/JoinKey.sol";
import {SlotKey} from "./lib/SlotKey.sol";
import {WithdrawUnusedKey} from "./lib/WithdrawUnusedKey.sol";

/// @title A slot's authorisation in zero knowledge
/// @notice Shows that the maker owns some leaf with this slot, and nothing of which leaf (SPEC §13.2, `zk-programs/src/slot.circom`).
/// The key's set-up decides what it is worth: under a development set-up anybody can forge, so that it deploys on chain id 31337 only.
contract SlotProofAuthoriser is LeafProofs {
    /// @notice A key comes of a development set-up, and this is a real chain.
    error DevelopmentSetUp();

    /// @dev What tag and units of a slot add to every proof's inputs.
    uint256 private immutable _fixedX;
    uint256 private immutable _fixedY;

    /// @param winValue V
    /// @param winsPerSlot K
    /// @param bond b
    /// @param unit u
    /// @custom:error DevelopmentSetUp, BadProfile
    constructor(uint256 winValue, uint256 winsPerSlot, uint256 bond, uint256 unit)
        LeafProofs(winValue, winsPerSlot, bond, unit)
    {
        bool isDevelopment =
            SlotKey.IS_DEVELOPMENT || WithdrawUnusedKey.IS_DEVELOPMENT || JoinKey.IS_DEVELOPMENT;
        if (isDevelopment && block.chainid != LOCAL_CHAIN_ID) revert DevelopmentSetUp();
        (_fixedX, _fixedY) = Groth16Batch.fixedPoint(tag, unitsPerSlot);
    }

    /// @inheritdoc IAuthoriser
    function verify(uint256 root, uint256 nullifier, uint256 domain, uint256 x, bytes calldata proof)
        external
        view
        returns (bool)
    {
        return Groth16Batch.verify(Groth16Batch.Profile(domain, _fixedX, _fixedY), root, nullifier, x, proof);
    }

    /// @inheritdoc IAuthoriser
    /// @dev One pairing product for all, so that each costs a third of what it costs alone. Proofs have 256 bytes. The call's own bytes say all that is to be
    /// shown, so that weights drawn from them are drawn from it.
    function verifyAll(uint256 domain, bytes calldata packed) external view returns (bool) {
        return Groth16Batch.verifyAll(Groth16Batch.Profile(domain, _fixedX, _fixedY), packed, keccak256(msg.data));
    }
}
