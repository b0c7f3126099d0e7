// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Who may use a slot, and move what is in a leaf
/// @notice The questions the pool asks about an owner (SPEC §13.2, §14.4, §14.6). An implementation keeps no state
/// and never reverts on bad input: it answers false, so that one bad entry cannot stop a batch.
interface IAuthoriser {
    /// @dev Slots of one leaf that nobody was shown, and the units at its end that make no slot. 0 for a place that is not used.
    struct UnusedStatement {
        uint256 root;
        uint256[16] nullifiers;
        uint256 rest;
        uint256 restUnits;
        uint256 x;
    }

    /// @dev Rests of leaves, the units at their ends that make no slot. 0 for a place that is not used.
    struct JoinStatement {
        uint256 root;
        uint256[4] rests;
        uint256 units;
        uint256 x;
    }

    /// @notice Does the maker of `proof` own a leaf under `root` with a slot whose nullifier is `nullifier`?
    /// @param root a root of the leaf tree; the caller has checked that it was published
    /// @param nullifier of the slot, below the field's order
    /// @param domain of the pool (SPEC §13.1)
    /// @param x what the proof is bound to: a session key (SPEC §13.2) or a withdrawal (SPEC §14.4)
    /// @param proof bytes of this authoriser's kind
    /// @return true when the proof holds
    function verify(uint256 root, uint256 nullifier, uint256 domain, uint256 x, bytes calldata proof)
        external
        view
        returns (bool);

    /// @notice Do all of these hold? Cheaper than one by one where proofs can be judged together.
    /// @param domain of the pool
    /// @param packed for each `root[32] ‖ nullifier[32] ‖ x[32] ‖ length[32] ‖ proof[length]`, one behind the other (`lib/ProofBytes.sol`)
    /// @return true when every one holds; false when any does not, when there is none, or when the bytes do not come out even
    function verifyAll(uint256 domain, bytes calldata packed) external view returns (bool);

    /// @notice Does the maker own a leaf under the root with these slots, and with `restUnits` beyond its slots under the nullifier `rest`?
    /// @param domain of the pool
    /// @param statement what is proved
    /// @param proof 256 bytes (`zk-programs/src/withdraw-unused.circom`)
    /// @return true when the proof holds
    function verifyUnused(uint256 domain, UnusedStatement calldata statement, bytes calldata proof)
        external
        view
        returns (bool);

    /// @notice Does the maker own leaves under the root whose rests hold `units` together and have these nullifiers?
    /// @param statement what is proved
    /// @param proof 256 bytes (`zk-programs/src/join.circom`)
    /// @return true when the proof holds
    function verifyJoin(JoinStatement calldata statement, bytes calldata proof) external view returns (bool);
}
