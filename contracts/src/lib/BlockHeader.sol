// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @dev Fields of a block's header in RLP, as its hash covers it. Only for headers whose hash was checked: a form that no chain makes is not looked for.
library BlockHeader {
    struct Fields {
        bytes32 parentHash;
        uint256 number;
        uint256 time;
        /// @dev EIP-4399: what `block.prevrandao` was in it.
        uint256 random;
    }

    uint256 private constant PARENT_HASH = 0;
    uint256 private constant NUMBER = 8;
    uint256 private constant TIME = 11;
    uint256 private constant RANDOM = 13;
    /// @dev The shortest header has more bytes.
    uint256 private constant LEAST_BYTES = 500;

    /// @dev The fields; zeros for what is too short to be a header.
    function read(bytes calldata header) internal pure returns (Fields memory fields) {
        if (header.length < LEAST_BYTES || uint8(header[0]) != 0xf9) return fields;
        uint256 place = 3;
        for (uint256 i; i <= RANDOM; ++i) {
            (uint256 start, uint256 length) = _item(header, place);
            if (start + length > header.length) return fields;
            if (i == PARENT_HASH) fields.parentHash = bytes32(header[start:start + length]);
            else if (i == NUMBER) fields.number = _number(header, start, length);
            else if (i == TIME) fields.time = _number(header, start, length);
            else if (i == RANDOM) fields.random = _number(header, start, length);
            place = start + length;
        }
    }

    /// @dev Where an item's bytes are: a byte below 0x80 is itself, 0x80 + n is followed by n bytes, 0xb7 + n by n bytes that say how many.
    function _item(bytes calldata header, uint256 place) private pure returns (uint256 start, uint256 length) {
        if (place >= header.length) return (place, 1);
        uint256 first = uint8(header[place]);
        if (first < 0x80) return (place, 1);
        if (first < 0xb8) return (place + 1, first - 0x80);
        uint256 size = first - 0xb7;
        if (size > 2 || place + 1 + size > header.length) return (header.length, 1);
        return (place + 1 + size, _number(header, place + 1, size));
    }

    function _number(bytes calldata header, uint256 start, uint256 length) private pure returns (uint256) {
        if (length == 0 || length > 32) return 0;
        return uint256(bytes32(header[start:start + length])) >> (256 - 8 * length);
    }
}
