// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @dev The curve of the proofs, by the chain's precompiles. They refuse points off the curve and coordinates at or above the base field's order
/// (EIP-196, EIP-197); `ok` is false then.
library Bn254 {
    /// @dev Order of the base field: coordinates are below it.
    uint256 internal constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    /// @dev What the precompiles are given at most for what others chose: refusing a point they use up all of it. EIP-1108 asks 6000, 150, and 45 000 with 34 000 a pair. In a batch not much more than that: what a chain
    /// prices higher is judged one by one. A proof alone has sixteen times as much: beyond that none would hold any more, and these contracts never change.
    uint256 internal constant MUL_GAS = 30_000;
    uint256 internal constant SUM_GAS = 10_000;
    uint256 internal constant BATCH_PAIR_GAS = 60_000;
    uint256 internal constant PAIR_GAS = 600_000;

    /// @dev Bytes of a Groth16 proof: A, B, C as EIP-197 wants them.
    uint256 internal constant PROOF_BYTES = 256;

    /// @dev A proof's eight words. Not `ok`: another length, a coordinate at or above P (another form of the same number), or a point at infinity in any place.
    function readProof(bytes calldata proof) internal pure returns (uint256[8] memory words, bool ok) {
        if (proof.length != PROOF_BYTES) return (words, false);
        // In one copy and without a branch for each word: those would cost as much as a sum of points.
        assembly ("memory-safe") {
            words := mload(0x40)
            mstore(0x40, add(words, 256))
            calldatacopy(words, proof.offset, 256)
            ok := and(lt(mload(words), P), lt(mload(add(words, 32)), P))
            ok := and(ok, and(lt(mload(add(words, 64)), P), lt(mload(add(words, 96)), P)))
            ok := and(ok, and(lt(mload(add(words, 128)), P), lt(mload(add(words, 160)), P)))
            ok := and(ok, and(lt(mload(add(words, 192)), P), lt(mload(add(words, 224)), P)))
        }
        ok = ok && (words[0] | words[1]) != 0 && (words[2] | words[3] | words[4] | words[5]) != 0
            && (words[6] | words[7]) != 0;
    }

    /// @dev The other point with this x.
    function negated(uint256 y) internal pure returns (uint256) {
        return y == 0 ? 0 : P - y;
    }

    /// @dev EIP-196, address 7, for points that are ours. One time a point is the point itself, and costs nothing: use it in a sum or a pairing only, which refuse a point off the curve too.
    function mul(uint256 x, uint256 y, uint256 scalar) internal view returns (uint256 rx, uint256 ry, bool ok) {
        if (scalar == 1) return (x, y, true);
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, x)
            mstore(add(free, 32), y)
            mstore(add(free, 64), scalar)
            ok := staticcall(gas(), 7, free, 96, free, 64)
            rx := mload(free)
            ry := mload(add(free, 32))
        }
    }

    /// @dev EIP-196, address 6, for points that are ours.
    function sum(uint256 x, uint256 y, uint256 px, uint256 py)
        internal
        view
        returns (uint256 rx, uint256 ry, bool ok)
    {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, x)
            mstore(add(free, 32), y)
            mstore(add(free, 64), px)
            mstore(add(free, 96), py)
            ok := staticcall(gas(), 6, free, 128, free, 64)
            rx := mload(free)
            ry := mload(add(free, 32))
        }
    }

    /// @dev Puts a pair at a place of the pairing's input, which the caller has made large enough. Of G2's coordinates the imaginary part comes first.
    function put(
        uint256[] memory pairs,
        uint256 place,
        uint256 x,
        uint256 y,
        uint256 x1,
        uint256 x0,
        uint256 y1,
        uint256 y0
    ) internal pure {
        // Without six looks at the array's length: they cost as much as a sum of points.
        assembly ("memory-safe") {
            let at := add(add(pairs, 32), mul(place, 32))
            mstore(at, x)
            mstore(add(at, 32), y)
            mstore(add(at, 64), x1)
            mstore(add(at, 96), x0)
            mstore(add(at, 128), y1)
            mstore(add(at, 160), y0)
        }
    }

    /// @dev EIP-197, address 8: is the product of all pairings one?
    /// @param pairGas the most that it may take for each pair, and once more
    function pairing(uint256[] memory pairs, uint256 pairGas) internal view returns (bool) {
        uint256[1] memory output;
        bool ok;
        uint256 most = (pairs.length / 6 + 1) * pairGas;
        assembly ("memory-safe") {
            ok := staticcall(most, 8, add(pairs, 32), mul(mload(pairs), 32), output, 32)
        }
        return ok && output[0] == 1;
    }
}
