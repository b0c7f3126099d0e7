// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @dev Order of BN254's scalar field: every public input of a slot proof is below it.
uint256 constant FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

/// @dev Where burned tokens go. The pool's token need not know how to burn.
address constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;
