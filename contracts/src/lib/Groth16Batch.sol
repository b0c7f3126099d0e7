// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IAuthoriser} from "../IAuthoriser.sol";
import {Bn254} from "./Bn254.sol";
import {FIELD_ORDER} from "./Field.sol";
import {SlotKey} from "./SlotKey.sol";

/// @dev Checks Groth16 proofs of slots together, by one random linear combination and one pairing product (M + 3 pairs for M proofs).
///
/// With weights r_i (r_0 = 1, the others 128 bits of a hash over everything) it holds for all i, except with probability 2^-120, that
/// e(A_i, B_i) = e(alpha, beta) · e(L_i, gamma) · e(C_i, delta) when it holds for the products of r_i-th powers.
/// Points off the curve, points at infinity and coordinates at or above the base field's order are refused (Bn254).
library Groth16Batch {
    /// @dev What stays the same over a batch: the domain, and the sum of the key's points for one, tag and units of a slot.
    struct Profile {
        uint256 domain;
        uint256 fixedX;
        uint256 fixedY;
    }

    /// @dev Weighted sums over the batch: of the weights, of each public input, of C, and of the key's points for the inputs.
    struct Sums {
        uint256 weights;
        uint256 roots;
        uint256 nullifiers;
        uint256 xs;
        uint256 cx;
        uint256 cy;
        uint256 lx;
        uint256 ly;
        bool ok;
    }

    /// @dev The part of the inputs that every statement of one profile shares: once, when the contract is made.
    function fixedPoint(uint256 tag, uint256 unitsPerSlot) internal view returns (uint256 x, uint256 y) {
        Sums memory sums;
        sums.ok = true;
        _addTerm(sums, SlotKey.IC0_X, SlotKey.IC0_Y, 1);
        _addTerm(sums, SlotKey.IC5_X, SlotKey.IC5_Y, tag);
        _addTerm(sums, SlotKey.IC6_X, SlotKey.IC6_Y, unitsPerSlot);
        assert(sums.ok);
        return (sums.lx, sums.ly);
    }

    /// @dev True when every proof holds. Never reverts on bad input.
    /// @param seed a hash over all statements and proofs: the weights come of it
    function verifyAll(
        Profile memory profile,
        IAuthoriser.Statement[] calldata statements,
        bytes[] calldata proofs,
        bytes32 seed
    )
        internal
        view
        returns (bool)
    {
        uint256 n = statements.length;
        if (n == 0 || proofs.length != n) return false;
        (Sums memory sums, uint256[] memory pairs) = _begin(n);
        for (uint256 i; i < n; ++i) {
            IAuthoriser.Statement calldata statement = statements[i];
            uint256 weight = i == 0 ? 1 : _weight(seed, i);
            if (!_add(sums, statement.root, statement.nullifier, statement.x, weight)) return false;
            if (!_addProof(sums, pairs, i, proofs[i], weight)) return false;
        }
        return _close(sums, profile, pairs, 6 * n);
    }

    /// @dev True when this proof holds. Never reverts on bad input.
    function verify(Profile memory profile, uint256 root, uint256 nullifier, uint256 x, bytes calldata proof)
        internal
        view
        returns (bool)
    {
        (Sums memory sums, uint256[] memory pairs) = _begin(1);
        return _add(sums, root, nullifier, x, 1) && _addProof(sums, pairs, 0, proof, 1) && _close(sums, profile, pairs, 6);
    }

    function _begin(uint256 n) private pure returns (Sums memory sums, uint256[] memory pairs) {
        sums.ok = true;
        pairs = new uint256[](6 * (n + 3));
    }

    /// @dev 128 bits of a hash, in the scratch space.
    function _weight(bytes32 seed, uint256 i) private pure returns (uint256 weight) {
        assembly ("memory-safe") {
            mstore(0x00, seed)
            mstore(0x20, i)
            weight := shr(128, keccak256(0x00, 0x40))
        }
    }

    function _add(Sums memory sums, uint256 root, uint256 nullifier, uint256 x, uint256 weight)
        private
        pure
        returns (bool)
    {
        if (root >= FIELD_ORDER || nullifier >= FIELD_ORDER || x >= FIELD_ORDER) return false;
        sums.weights = addmod(sums.weights, weight, FIELD_ORDER);
        sums.roots = addmod(sums.roots, mulmod(weight, root, FIELD_ORDER), FIELD_ORDER);
        sums.nullifiers = addmod(sums.nullifiers, mulmod(weight, nullifier, FIELD_ORDER), FIELD_ORDER);
        sums.xs = addmod(sums.xs, mulmod(weight, x, FIELD_ORDER), FIELD_ORDER);
        return true;
    }

    /// @dev Puts (weight · A, B) among the pairs and adds weight · C.
    function _addProof(Sums memory sums, uint256[] memory pairs, uint256 i, bytes calldata proof, uint256 weight)
        private
        view
        returns (bool)
    {
        (uint256[8] memory words, bool ok) = Bn254.readProof(proof);
        if (!ok) return false;
        uint256 x;
        uint256 y;
        (x, y, ok) = Bn254.mul(words[0], words[1], weight);
        if (!ok) return false;
        Bn254.put(pairs, 6 * i, x, y, words[2], words[3], words[4], words[5]);
        (x, y, ok) = Bn254.mul(words[6], words[7], weight);
        if (!ok) return false;
        (sums.cx, sums.cy, ok) = Bn254.sum(sums.cx, sums.cy, x, y);
        return ok;
    }

    /// @dev Puts the three pairs of the key behind those of the proofs, negated, and asks for the product.
    function _close(Sums memory sums, Profile memory profile, uint256[] memory pairs, uint256 place)
        private
        view
        returns (bool)
    {
        if (profile.domain >= FIELD_ORDER) return false;
        (uint256 ax, uint256 ay, bool ok) = Bn254.mul(SlotKey.ALPHA_X, SlotKey.ALPHA_Y, sums.weights);
        if (!ok) return false;
        Bn254.put(pairs, place, ax, Bn254.negated(ay), SlotKey.BETA_X1, SlotKey.BETA_X0, SlotKey.BETA_Y1, SlotKey.BETA_Y0);
        _addInputs(sums, profile);
        if (!sums.ok) return false;
        place += 6;
        Bn254.put(
            pairs, place, sums.lx, Bn254.negated(sums.ly), SlotKey.GAMMA_X1, SlotKey.GAMMA_X0, SlotKey.GAMMA_Y1, SlotKey.GAMMA_Y0
        );
        place += 6;
        Bn254.put(
            pairs, place, sums.cx, Bn254.negated(sums.cy), SlotKey.DELTA_X1, SlotKey.DELTA_X0, SlotKey.DELTA_Y1, SlotKey.DELTA_Y0
        );
        return Bn254.pairing(pairs);
    }

    /// @dev Adds up the key's points for the public inputs, weighted: root, nullifier, domain, x, and those that are fixed.
    function _addInputs(Sums memory sums, Profile memory profile) private view {
        uint256 s = sums.weights;
        _addTerm(sums, profile.fixedX, profile.fixedY, s);
        _addTerm(sums, SlotKey.IC1_X, SlotKey.IC1_Y, sums.roots);
        _addTerm(sums, SlotKey.IC2_X, SlotKey.IC2_Y, sums.nullifiers);
        _addTerm(sums, SlotKey.IC3_X, SlotKey.IC3_Y, mulmod(s, profile.domain, FIELD_ORDER));
        _addTerm(sums, SlotKey.IC4_X, SlotKey.IC4_Y, sums.xs);
    }

    function _addTerm(Sums memory sums, uint256 x, uint256 y, uint256 scalar) private view {
        (uint256 px, uint256 py, bool ok) = Bn254.mul(x, y, scalar);
        if (!ok) sums.ok = false;
        (sums.lx, sums.ly, ok) = Bn254.sum(sums.lx, sums.ly, px, py);
        if (!ok) sums.ok = false;
    }
}
