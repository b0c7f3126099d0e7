// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Who may use a slot
/// @notice The one question the pool asks about a slot's owner (SPEC §13.2). An implementation keeps no state
/// and never reverts on bad input: it answers false, so that one bad entry cannot stop a batch.
interface IAuthoriser {
    /// @dev What is proved of one slot.
    struct Statement {
        uint256 root;
        uint256 nullifier;
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
    /// @param statements what each proof is for
    /// @param proofs in the same order
    /// @return true when every one holds; false when any does not, there is none, or the lengths differ
    function verifyAll(uint256 domain, Statement[] calldata statements, bytes[] calldata proofs)
        external
        view
        returns (bool);
}
