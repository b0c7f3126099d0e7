// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @dev SHA-512 (FIPS 180-4). Some 26 000 of gas for each 128 bytes: for evidence, which is rare.
library Sha512 {
    /// @dev The first 64 bits of the fractions of the cube roots of the first eighty primes.
    bytes private constant K =
        hex"428a2f98d728ae227137449123ef65cdb5c0fbcfec4d3b2fe9b5dba58189dbbc3956c25bf348b53859f111f1b605d019"
        hex"923f82a4af194f9bab1c5ed5da6d8118d807aa98a303024212835b0145706fbe243185be4ee4b28c550c7dc3d5ffb4e2"
        hex"72be5d74f27b896f80deb1fe3b1696b19bdc06a725c71235c19bf174cf692694e49b69c19ef14ad2efbe4786384f25e3"
        hex"0fc19dc68b8cd5b5240ca1cc77ac9c652de92c6f592b02754a7484aa6ea6e4835cb0a9dcbd41fbd476f988da831153b5"
        hex"983e5152ee66dfaba831c66d2db43210b00327c898fb213fbf597fc7beef0ee4c6e00bf33da88fc2d5a79147930aa725"
        hex"06ca6351e003826f142929670a0e6e7027b70a8546d22ffc2e1b21385c26c9264d2c6dfc5ac42aed53380d139d95b3df"
        hex"650a73548baf63de766a0abb3c77b2a881c2c92e47edaee692722c851482353ba2bfe8a14cf10364a81a664bbc423001"
        hex"c24b8b70d0f89791c76c51a30654be30d192e819d6ef5218d69906245565a910f40e35855771202a106aa07032bbd1b8"
        hex"19a4c116b8d2d0c81e376c085141ab532748774cdf8eeb9934b0bcb5e19b48a8391c0cb3c5c95a634ed8aa4ae3418acb"
        hex"5b9cca4f7763e373682e6ff3d6b2b8a3748f82ee5defb2fc78a5636f43172f6084c87814a1f0ab728cc702081a6439ec"
        hex"90befffa23631e28a4506cebde82bde9bef9a3f7b2c67915c67178f2e372532bca273eceea26619cd186b8c721c0c207"
        hex"eada7dd6cde0eb1ef57d4f7fee6ed17806f067aa72176fba0a637dc5a2c898a6113f9804bef90dae1b710b35131c471b"
        hex"28db77f523047d8432caab7b40c724933c9ebe0a15c9bebc431d67c49c100d4c4cc5d4becb3e42b6597f299cfc657e2a"
        hex"5fcb6fab3ad6faec6c44198c4a475817";

    /// @dev The 64 bytes of the hash, as two words.
    function hash(bytes memory data) internal pure returns (bytes32 high, bytes32 low) {
        bytes memory blocks = _padded(data);
        bytes memory constants = K;
        assembly ("memory-safe") {
            // Two runs of words: the sequences a and e of the rounds, four before the first; then the schedule of a block.
            let aa := mload(0x40)
            let ee := add(aa, 0xa80)
            let ww := add(ee, 0xa80)
            mstore(0x40, add(ww, 0xa00))
            mstore(aa, 0xa54ff53a5f1d36f1)
            mstore(add(aa, 0x20), 0x3c6ef372fe94f82b)
            mstore(add(aa, 0x40), 0xbb67ae8584caa73b)
            mstore(add(aa, 0x60), 0x6a09e667f3bcc908)
            mstore(ee, 0x5be0cd19137e2179)
            mstore(add(ee, 0x20), 0x1f83d9abfb41bd6b)
            mstore(add(ee, 0x40), 0x9b05688c2b3e6c1f)
            mstore(add(ee, 0x60), 0x510e527fade682d1)
            let M := 0xffffffffffffffff
            for {
                let at := add(blocks, 0x20)
                let end := add(at, mload(blocks))
            } lt(at, end) { at := add(at, 0x80) } {
                for { let i := 0 } lt(i, 16) { i := add(i, 1) } {
                    mstore(add(ww, shl(5, i)), shr(192, mload(add(at, shl(3, i)))))
                }
                for { let w := add(ww, 0x200) } lt(w, add(ww, 0xa00)) { w := add(w, 0x20) } {
                    // Doubled, a word is rotated by a shift.
                    let x := mload(sub(w, 0x1e0))
                    let y := mul(x, 0x10000000000000001)
                    let sum := xor(xor(shr(1, y), shr(8, y)), shr(7, x))
                    x := mload(sub(w, 0x40))
                    y := mul(x, 0x10000000000000001)
                    sum := add(and(sum, M), and(xor(xor(shr(19, y), shr(61, y)), shr(6, x)), M))
                    mstore(w, and(add(add(sum, mload(sub(w, 0x200))), mload(sub(w, 0xe0))), M))
                }
                for { let i := 0 } lt(i, 80) { i := add(i, 1) } {
                    let a := add(aa, shl(5, i))
                    let e := add(ee, shl(5, i))
                    let x := mload(add(e, 0x60))
                    let y := mul(x, 0x10000000000000001)
                    let t := and(xor(xor(shr(14, y), shr(18, y)), shr(41, y)), M)
                    t := add(t, xor(mload(add(e, 0x20)), and(x, xor(mload(add(e, 0x40)), mload(add(e, 0x20))))))
                    t := add(add(t, mload(e)), mload(add(ww, shl(5, i))))
                    t := add(t, shr(192, mload(add(add(constants, 0x20), shl(3, i)))))
                    mstore(add(e, 0x80), and(add(mload(a), t), M))
                    x := mload(add(a, 0x60))
                    y := mul(x, 0x10000000000000001)
                    t := add(t, and(xor(xor(shr(28, y), shr(34, y)), shr(39, y)), M))
                    y := mload(add(a, 0x40))
                    t := add(t, xor(and(x, y), and(mload(add(a, 0x20)), xor(x, y))))
                    mstore(add(a, 0x80), and(t, M))
                }
                for { let i := 0 } lt(i, 0x80) { i := add(i, 0x20) } {
                    mstore(add(aa, i), and(add(mload(add(aa, i)), mload(add(add(aa, i), 0xa00))), M))
                    mstore(add(ee, i), and(add(mload(add(ee, i)), mload(add(add(ee, i), 0xa00))), M))
                }
            }
            high := or(shl(192, mload(add(aa, 0x60))), shl(128, mload(add(aa, 0x40))))
            high := or(high, or(shl(64, mload(add(aa, 0x20))), mload(aa)))
            low := or(shl(192, mload(add(ee, 0x60))), shl(128, mload(add(ee, 0x40))))
            low := or(low, or(shl(64, mload(add(ee, 0x20))), mload(ee)))
        }
    }

    /// @dev FIPS 180-4 §5.1.2: a one, zeros, and the length in bits, to whole blocks.
    function _padded(bytes memory data) private pure returns (bytes memory) {
        uint256 zeros = (239 - (data.length % 128)) % 128;
        return bytes.concat(data, hex"80", new bytes(zeros), bytes16(uint128(data.length * 8)));
    }
}
