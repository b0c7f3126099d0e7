// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Bn254} from "./Bn254.sol";
import {FIELD_ORDER} from "./Field.sol";
import {ProofBytes} from "./ProofBytes.sol";
import {SlotKey} from "./SlotKey.sol";

/// @dev Checks Groth16 proofs of slots together, by one random linear combination and one pairing product (M + 3 pairs for M proofs).
///
/// With weights r_i (r_0 = 1, the others 128 bits of a hash over everything) it holds for all i, except with probability 2^-120, that
/// e(A_i, B_i) = e(alpha, beta) · e(L_i, gamma) · e(C_i, delta) when it holds for the products of r_i-th powers.
/// Points off the curve, points at infinity and coordinates at or above the base field's order are refused (Bn254).
library Groth16Batch {
    /// @dev A statement with its proof.
    uint256 private constant ENTRY_BYTES = 384;

    /// @dev What stays the same over a batch: the domain, and the sum of the key's points for one, tag and units of a slot.
    struct Profile {
        uint256 domain;
        uint256 fixedX;
        uint256 fixedY;
    }

    /// @dev Weighted sums over the batch: of the weights, of each public input, of C, and of the key's points for the inputs. `next` is the C to be added, with its weight: the words lie as the precompiles want them. Then the statement
    /// that is added, as it lies in the call data, with the length of its proof.
    struct Sums {
        uint256 weights;
        uint256 roots;
        uint256 nullifiers;
        uint256 xs;
        uint256 cx;
        uint256 cy;
        uint256 nextX;
        uint256 nextY;
        uint256 nextWeight;
        uint256 root;
        uint256 nullifier;
        uint256 x;
        uint256 length;
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
    /// @param packed statements and proofs, as IAuthoriser has them
    /// @param seed a hash over all of them: the weights come of it
    function verifyAll(Profile memory profile, bytes calldata packed, bytes32 seed) internal view returns (bool) {
        uint256 n = packed.length / ENTRY_BYTES;
        if (n == 0 || n * ENTRY_BYTES != packed.length) return false;
        (Sums memory sums, uint256[] memory pairs) = _begin(n);
        uint256 here;
        assembly ("memory-safe") {
            here := packed.offset
        }
        for (uint256 i; i < n; ++i) {
            assembly ("memory-safe") {
                calldatacopy(add(sums, 288), here, 128)
            }
            if (sums.length != Bn254.PROOF_BYTES) return false;
            unchecked {
                if (!_add(sums, _placeOf(pairs, i), here + ProofBytes.HEAD_BYTES, i == 0 ? 1 : _weight(seed, i))) return false;
                here += ENTRY_BYTES;
            }
        }
        return _close(sums, profile, pairs, 6 * n);
    }

    /// @dev True when this proof holds. Never reverts on bad input.
    function verify(Profile memory profile, uint256 root, uint256 nullifier, uint256 x, bytes calldata proof)
        internal
        view
        returns (bool)
    {
        if (proof.length != Bn254.PROOF_BYTES) return false;
        (Sums memory sums, uint256[] memory pairs) = _begin(1);
        uint256 here;
        assembly ("memory-safe") {
            here := proof.offset
        }
        (sums.root, sums.nullifier, sums.x) = (root, nullifier, x);
        return _add(sums, _placeOf(pairs, 0), here, 1) && _close(sums, profile, pairs, 6);
    }

    function _begin(uint256 n) private pure returns (Sums memory sums, uint256[] memory pairs) {
        sums.ok = true;
        pairs = new uint256[](6 * (n + 3));
    }

    /// @dev Where a proof's pair begins in memory.
    function _placeOf(uint256[] memory pairs, uint256 i) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := add(add(pairs, 32), mul(i, 192))
        }
    }

    /// @dev 128 bits of a hash, in the scratch space.
    function _weight(bytes32 seed, uint256 i) private pure returns (uint256 weight) {
        assembly ("memory-safe") {
            mstore(0x00, seed)
            mstore(0x20, i)
            weight := shr(128, keccak256(0x00, 0x40))
        }
    }

    /// @dev Adds the statement in `sums` with its weight, puts (weight · A, B) at `pair` and adds weight · C. The proof's 256 bytes lie at `proof` of the call data. In one piece, over the words of
    /// `Sums` as they lie: functions of a point each, with copies between them, cost as much as four sums of points. Coordinates at or above the base field's order and points off the
    /// curve are refused by the precompiles (EIP-196, EIP-197); points at infinity, which those take, are refused here.
    function _add(Sums memory sums, uint256 pair, uint256 proof, uint256 weight) private view returns (bool ok) {
        uint256 r = FIELD_ORDER;
        uint256 mulGas = Bn254.MUL_GAS;
        uint256 sumGas = Bn254.SUM_GAS;
        assembly ("memory-safe") {
            ok := 1
            mstore(sums, add(mload(sums), weight))
            // Root, nullifier and x, each to its sum.
            for { let at := 32 } lt(at, 128) { at := add(at, 32) } {
                let value := mload(add(add(sums, 256), at))
                ok := and(ok, lt(value, r))
                mstore(add(sums, at), addmod(mload(add(sums, at)), mulmod(weight, value, r), r))
            }
            // A, where its pair begins; the weight lies where B comes after.
            calldatacopy(pair, proof, 64)
            ok := and(ok, gt(or(mload(pair), mload(add(pair, 32))), 0))
            if gt(weight, 1) {
                mstore(add(pair, 64), weight)
                ok := and(ok, staticcall(mulGas, 7, pair, 96, pair, 64))
            }
            calldatacopy(add(pair, 64), add(proof, 64), 128)
            let b := or(mload(add(pair, 64)), mload(add(pair, 96)))
            ok := and(ok, gt(or(b, or(mload(add(pair, 128)), mload(add(pair, 160)))), 0))
            // C, behind the sum of those before.
            let next := add(sums, 192)
            calldatacopy(next, add(proof, 192), 64)
            ok := and(ok, gt(or(mload(next), mload(add(next, 32))), 0))
            if gt(weight, 1) {
                mstore(add(next, 64), weight)
                ok := and(ok, staticcall(mulGas, 7, next, 96, next, 64))
            }
            let sum := add(sums, 128)
            ok := and(ok, staticcall(sumGas, 6, sum, 128, sum, 64))
        }
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
        return Bn254.pairing(pairs, sums.weights == 1 ? Bn254.PAIR_GAS : Bn254.BATCH_PAIR_GAS);
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
