// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Bn254} from "./Bn254.sol";
import {FIELD_ORDER} from "./Field.sol";

/// @dev Checks one Groth16 proof of a program with any number of public inputs. Proofs of slots come in batches: see Groth16Batch.
library Groth16 {
    /// @dev A verification key. Of G2's coordinates the imaginary part comes first (EIP-197); `inputs` are the points for one and for each public input, 64 bytes each.
    struct Key {
        uint256[2] alpha;
        uint256[4] beta;
        uint256[4] gamma;
        uint256[4] delta;
        bytes inputs;
    }

    /// @dev True when the proof holds for these inputs. Never reverts on bad input: an input at or above the field's order, which would be another form of a smaller
    /// one, is refused as a wrong proof is.
    function verify(Key memory key, uint256[] memory inputs, bytes calldata proof) internal view returns (bool) {
        (uint256[8] memory words, bool ok) = Bn254.readProof(proof);
        if (!ok || key.inputs.length != 64 * (inputs.length + 1)) return false;
        uint256 lx;
        uint256 ly;
        (lx, ly, ok) = _combine(key.inputs, inputs);
        if (!ok) return false;
        // e(A, B) = e(alpha, beta) · e(L, gamma) · e(C, delta)
        uint256[] memory pairs = new uint256[](24);
        Bn254.put(pairs, 0, words[0], words[1], words[2], words[3], words[4], words[5]);
        _putNegated(pairs, 6, key.alpha[0], key.alpha[1], key.beta);
        _putNegated(pairs, 12, lx, ly, key.gamma);
        _putNegated(pairs, 18, words[6], words[7], key.delta);
        return Bn254.pairing(pairs, Bn254.PAIR_GAS);
    }

    function _combine(bytes memory points, uint256[] memory inputs)
        private
        view
        returns (uint256 lx, uint256 ly, bool ok)
    {
        (lx, ly) = _point(points, 0);
        for (uint256 i; i < inputs.length; ++i) {
            if (inputs[i] >= FIELD_ORDER) return (0, 0, false);
            if (inputs[i] == 0) continue;
            (uint256 x, uint256 y) = _point(points, i + 1);
            (x, y, ok) = Bn254.mul(x, y, inputs[i]);
            if (!ok) return (0, 0, false);
            (lx, ly, ok) = Bn254.sum(lx, ly, x, y);
            if (!ok) return (0, 0, false);
        }
        ok = true;
    }

    function _point(bytes memory points, uint256 i) private pure returns (uint256 x, uint256 y) {
        assembly ("memory-safe") {
            let at := add(add(points, 32), mul(i, 64))
            x := mload(at)
            y := mload(add(at, 32))
        }
    }

    function _putNegated(uint256[] memory pairs, uint256 place, uint256 x, uint256 y, uint256[4] memory g2)
        private
        pure
    {
        Bn254.put(pairs, place, x, Bn254.negated(y), g2[0], g2[1], g2[2], g2[3]);
    }
}
