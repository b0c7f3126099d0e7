// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Sha512} from "./Sha512.sol";

/// @dev Ed25519 (RFC 8032 §5.1.7) as nodes check it: without the cofactor, the point R compared as it is written. Some 0.3 million of gas: for evidence, which is rare.
library Ed25519 {
    uint256 private constant P = 2 ** 255 - 19;
    uint256 private constant L = 2 ** 252 + 27742317777372353535851937790883648493;
    uint256 private constant D = 37095705934669439343138083508754565189542113879843219016388785533085940283555;
    uint256 private constant TWO_D = 16295367250680780974490674513165176452449235426866156013048779062215315747161;
    /// @dev A square root of minus one.
    uint256 private constant I = 19681161376707505956807079304988542015446066515923890162744021073123829784752;
    uint256 private constant BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202;
    uint256 private constant BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960;

    /// @dev Is this 64-byte signature the key's over the message?
    function verify(bytes32 key, bytes memory message, bytes32 r, bytes32 s) internal view returns (bool) {
        uint256 scalar = _swapped(s);
        if (scalar >= L) return false;
        (bool isPoint, uint256 x, uint256 y) = _decode(key);
        if (!isPoint) return false;
        (bytes32 high, bytes32 low) = Sha512.hash(bytes.concat(r, key, message));
        // Little-endian: the second half counts for more.
        uint256 h = addmod(mulmod(_swapped(low), mulmod(2 ** 128, 2 ** 128, L), L), _swapped(high) % L, L);
        return _combine(scalar, h, P - x, y) == r;
    }

    /// @dev A point from its 32 bytes (RFC 8032 §5.1.3).
    function _decode(bytes32 bytes_) private view returns (bool, uint256 x, uint256 y) {
        uint256 value = _swapped(bytes_);
        y = (value & (2 ** 255 - 1)) % P;
        uint256 yy = mulmod(y, y, P);
        uint256 u = addmod(yy, P - 1, P);
        uint256 v = addmod(mulmod(D, yy, P), 1, P);
        uint256 v3 = mulmod(mulmod(v, v, P), v, P);
        uint256 uv7 = mulmod(u, mulmod(mulmod(v3, v3, P), v, P), P);
        x = mulmod(mulmod(u, v3, P), _power(uv7, (P - 5) / 8), P);
        uint256 vxx = mulmod(v, mulmod(x, x, P), P);
        if (vxx != u) {
            if (vxx != (P - u) % P) return (false, 0, 0);
            x = mulmod(x, I, P);
        }
        if ((x & 1) != (value >> 255)) x = P - x;
        return (true, x % P, y);
    }

    /// @dev `s·B + h·A`, as 32 bytes: both at once, a bit of each a step.
    function _combine(uint256 s, uint256 h, uint256 ax, uint256 ay) private view returns (bytes32) {
        // Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, T = XY/Z: the sum, B, A, A + B.
        uint256[4] memory sum = [uint256(0), 1, 1, 0];
        uint256[4] memory base = [BASE_X, BASE_Y, 1, mulmod(BASE_X, BASE_Y, P)];
        uint256[4] memory own = [ax, ay, 1, mulmod(ax, ay, P)];
        uint256[4] memory both = [ax, ay, 1, mulmod(ax, ay, P)];
        assembly ("memory-safe") {
            let p := 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed

            // RFC 8032 §5.1.4.
            function double(at, q) {
                let x := mload(at)
                let y := mload(add(at, 0x20))
                let z := mload(add(at, 0x40))
                let a := mulmod(x, x, q)
                let b := mulmod(y, y, q)
                let e := addmod(x, y, q)
                let hh := addmod(a, b, q)
                e := addmod(hh, sub(q, mulmod(e, e, q)), q)
                let g := addmod(a, sub(q, b), q)
                let f := mulmod(z, z, q)
                f := addmod(addmod(f, f, q), g, q)
                mstore(at, mulmod(e, f, q))
                mstore(add(at, 0x20), mulmod(g, hh, q))
                mstore(add(at, 0x40), mulmod(f, g, q))
                mstore(add(at, 0x60), mulmod(e, hh, q))
            }

            function addTo(at, other, twoD, q) {
                let x := mload(at)
                let y := mload(add(at, 0x20))
                let a := mload(other)
                let b := mload(add(other, 0x20))
                let c := mulmod(addmod(y, sub(q, x), q), addmod(b, sub(q, a), q), q)
                b := mulmod(addmod(y, x, q), addmod(b, a, q), q)
                let e := addmod(b, sub(q, c), q)
                let hh := addmod(b, c, q)
                c := mulmod(mulmod(mload(add(at, 0x60)), twoD, q), mload(add(other, 0x60)), q)
                let d := mulmod(mload(add(at, 0x40)), mload(add(other, 0x40)), q)
                d := addmod(d, d, q)
                let f := addmod(d, sub(q, c), q)
                let g := addmod(d, c, q)
                mstore(at, mulmod(e, f, q))
                mstore(add(at, 0x20), mulmod(g, hh, q))
                mstore(add(at, 0x40), mulmod(f, g, q))
                mstore(add(at, 0x60), mulmod(e, hh, q))
            }

            addTo(both, base, TWO_D, p)
            for { let bit := 253 } bit {} {
                bit := sub(bit, 1)
                double(sum, p)
                switch or(and(shr(bit, s), 1), shl(1, and(shr(bit, h), 1)))
                case 1 { addTo(sum, base, TWO_D, p) }
                case 2 { addTo(sum, own, TWO_D, p) }
                case 3 { addTo(sum, both, TWO_D, p) }
            }
        }
        uint256 inverse = _power(sum[2], P - 2);
        uint256 x = mulmod(sum[0], inverse, P);
        return bytes32(_swapped(bytes32(mulmod(sum[1], inverse, P) | ((x & 1) << 255))));
    }

    function _power(uint256 base, uint256 exponent) private view returns (uint256 result) {
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, 0x20)
            mstore(add(at, 0x20), 0x20)
            mstore(add(at, 0x40), 0x20)
            mstore(add(at, 0x60), base)
            mstore(add(at, 0x80), exponent)
            mstore(add(at, 0xa0), P)
            if iszero(staticcall(gas(), 0x05, at, 0xc0, 0x00, 0x20)) { revert(0, 0) }
            result := mload(0x00)
        }
    }

    /// @dev The bytes the other way round: RFC 8032 writes numbers little-endian.
    function _swapped(bytes32 word) private pure returns (uint256 value) {
        value = uint256(word);
        value = ((value >> 8) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff)
            | ((value & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff) << 8);
        value = ((value >> 16) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff)
            | ((value & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff) << 16);
        value = ((value >> 32) & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff)
            | ((value & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff) << 32);
        value = ((value >> 64) & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff)
            | ((value & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff) << 64);
        return (value >> 128) | (value << 128);
    }
}
