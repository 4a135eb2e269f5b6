// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title Decimals as integers, rounded half away from zero
library Rounding {
    /// @dev `mantissa / 10^scale` in units of `10^-digits`. Fits: below 2^63 times 10^6.
    function toDigits(int64 mantissa, uint8 scale, uint8 digits) internal pure returns (int128) {
        if (scale <= digits) return int128(mantissa) * int128(uint128(10 ** (digits - scale)));
        return int128(divide(mantissa, 10 ** (scale - digits)));
    }

    function divide(int256 dividend, uint256 divisor) internal pure returns (int256) {
        uint256 size = dividend < 0 ? uint256(-dividend) : uint256(dividend);
        int256 quotient = int256((2 * size + divisor) / (2 * divisor));
        return dividend < 0 ? -quotient : quotient;
    }
}
