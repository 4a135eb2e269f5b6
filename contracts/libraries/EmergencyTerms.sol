// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title The times of emergency access; every period is half-open
library EmergencyTerms {
    /// @dev Longest that custodians may release for one declaration.
    uint48 internal constant MAX_TERM = 4 hours;

    /// @dev How long after a declaration its review may take.
    uint48 internal constant REVIEW_TERM = 14 days;

    function isAllowed(uint48 term) internal pure returns (bool) {
        return term > 0 && term <= MAX_TERM;
    }

    /// @dev The term is cut again here, so that no caller can make an emergency longer.
    function endOf(uint48 declaredAt, uint48 term) internal pure returns (uint48) {
        return declaredAt + (term < MAX_TERM ? term : MAX_TERM);
    }

    /// @dev From when on the role is lost; `oldest` is when the oldest emergency without a review was declared, zero for none.
    function reviewDueAt(uint48 oldest) internal pure returns (uint48) {
        return oldest == 0 ? 0 : oldest + REVIEW_TERM;
    }

    function isOverdue(uint48 oldest, uint48 time) internal pure returns (bool) {
        return oldest != 0 && time >= oldest + REVIEW_TERM;
    }

    /// @dev Number of the week in which quotas are counted.
    function weekOf(uint48 time) internal pure returns (uint32) {
        return uint32(time / 7 days);
    }
}
