// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {PoseidonT2} from "poseidon-solidity/PoseidonT2.sol";
import {PoseidonT3} from "poseidon-solidity/PoseidonT3.sol";
import {PoseidonT4} from "poseidon-solidity/PoseidonT4.sol";
import {IAuthoriser} from "../../src/IAuthoriser.sol";
import {LeafProofs} from "../../src/LeafProofs.sol";
import {FIELD_ORDER} from "../../src/lib/Field.sol";
import {ProofBytes} from "../../src/lib/ProofBytes.sol";
import {Signatures} from "../../src/lib/Signatures.sol";

/// @title A slot's authorisation in plain sight: for tests of the pool only, and no part of what is deployed
/// @notice Shows the payer, the leaf and the slot's number to everyone: it gives NO anonymity. The secret is the
/// owner's public address, so anyone can compute an owner's nullifiers. Deploys on chain id 31337 and nowhere else.
contract UnsafePlainAuthoriser is LeafProofs {
    uint256 private constant HEAD_BYTES = 78;
    uint256 private constant MAX_SIBLINGS = 26;

    /// @notice Refused on every chain but a local one.
    error OnlyOnLocalChain();

    /// @param winValue V
    /// @param winsPerSlot K
    /// @param bond b
    /// @param unit u
    /// @custom:error OnlyOnLocalChain unless the chain id is 31337, BadProfile
    constructor(uint256 winValue, uint256 winsPerSlot, uint256 bond, uint256 unit)
        LeafProofs(winValue, winsPerSlot, bond, unit)
    {
        if (block.chainid != LOCAL_CHAIN_ID) revert OnlyOnLocalChain();
    }

    /// @inheritdoc IAuthoriser
    /// @dev The proof's layout is that of packages/protocol/test/ticket/plain-proof.ts; unused path bits must be zero.
    function verify(uint256 root, uint256 nullifier, uint256 domain, uint256 x, bytes calldata proof)
        public
        view
        returns (bool)
    {
        if (root >= FIELD_ORDER || nullifier >= FIELD_ORDER || domain >= FIELD_ORDER || x >= FIELD_ORDER) return false;
        if (proof.length < HEAD_BYTES) return false;
        uint256 siblings = uint8(proof[77]);
        if (siblings > MAX_SIBLINGS || proof.length != HEAD_BYTES + 32 * siblings) return false;
        uint256 limit = uint32(bytes4(proof[65:69]));
        uint256 j = uint32(bytes4(proof[69:73]));
        if ((j + 1) * unitsPerSlot > limit) return false;
        address owner =
            Signatures.recover(sha256(abi.encodePacked("byway plain v1", root, nullifier, domain, x)), proof[0:65]);
        if (owner == address(0)) return false;
        uint256 secret = uint160(owner);
        if (PoseidonT4.hash([secret, domain, j]) != nullifier) return false;
        uint256 leaf = PoseidonT4.hash([PoseidonT2.hash([secret]), limit, tag]);
        return _climb(leaf, uint32(bytes4(proof[73:77])), proof[HEAD_BYTES:]) == root;
    }

    /// @inheritdoc IAuthoriser
    function verifyAll(uint256 domain, bytes calldata packed) external view returns (bool) {
        if (packed.length == 0) return false;
        while (packed.length != 0) {
            if (packed.length < ProofBytes.HEAD_BYTES) return false;
            (uint256 root, uint256 nullifier, uint256 x, uint256 length) =
                abi.decode(packed[:ProofBytes.HEAD_BYTES], (uint256, uint256, uint256, uint256));
            packed = packed[ProofBytes.HEAD_BYTES:];
            if (packed.length < length || !verify(root, nullifier, domain, x, packed[:length])) return false;
            packed = packed[length:];
        }
        return true;
    }

    /// @dev Root above `leaf`, or a value that is no root: type(uint256).max.
    function _climb(uint256 leaf, uint256 pathBits, bytes calldata siblings) private pure returns (uint256 node) {
        uint256 depth = siblings.length / 32;
        if (pathBits >> depth != 0) return type(uint256).max;
        node = leaf;
        for (uint256 i; i < depth; ++i) {
            uint256 sibling = uint256(bytes32(siblings[32 * i:32 * i + 32]));
            if (sibling >= FIELD_ORDER) return type(uint256).max;
            node = (pathBits >> i) & 1 == 1 ? PoseidonT3.hash([sibling, node]) : PoseidonT3.hash([node, sibling]);
        }
    }
}
