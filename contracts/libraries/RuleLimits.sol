// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IAlertRules} from "../interfaces/IAlertRules.sol";

/// @title What a rule must be so that every evaluation of it ends, fits its types and has one meaning
library RuleLimits {
    uint256 private constant MAX_NAME = 64;
    uint256 private constant MAX_INPUTS = 16;
    uint256 private constant MAX_BANDS = 32;
    uint256 private constant MAX_DIGITS = 6;
    uint256 private constant MAX_READINGS = 64;
    uint256 private constant MAX_RESPONSES = 8;

    function requireValid(IAlertRules.Rule memory rule) internal pure {
        uint256 name = bytes(rule.name).length;
        bool valid = name != 0 && name <= MAX_NAME && rule.version != 0;
        if (!valid || !_hasInputs(rule) || !_hasTrigger(rule) || !_hasWindow(rule) || !_hasResponses(rule)) {
            revert IAlertRules.RuleInvalid();
        }
    }

    function _hasInputs(IAlertRules.Rule memory rule) private pure returns (bool) {
        uint256 count = rule.inputs.length;
        if (rule.kind == IAlertRules.Kind.Score) {
            if (count == 0 || count > MAX_INPUTS) return false;
        } else if (count != (rule.kind == IAlertRules.Kind.Difference ? 2 : 1)) {
            return false;
        }
        bool scored = rule.kind == IAlertRules.Kind.Score || rule.kind == IAlertRules.Kind.Count;
        for (uint256 i = 0; i < count; ++i) {
            IAlertRules.Input memory input = rule.inputs[i];
            if (bytes(input.code).length == 0 || input.digits > MAX_DIGITS || input.maxAge == 0) return false;
            if (scored != (input.bands.length != 0) || !_areBands(input.bands, count)) return false;
        }
        return true;
    }

    function _areBands(IAlertRules.Band[] memory bands, uint256 inputs) private pure returns (bool) {
        if (bands.length > MAX_BANDS) return false;
        for (uint256 i = 0; i < bands.length; ++i) {
            IAlertRules.Band memory band = bands[i];
            if (band.low > band.high || band.whenInput > inputs || band.whenLow > band.whenHigh) return false;
            if (band.whenInput == 0 && (band.whenLow != 0 || band.whenHigh != 0)) return false;
        }
        return true;
    }

    /// @dev Silence grows while nobody looks, so an absence begins and ends at once: a duration would depend on who looks when.
    function _hasTrigger(IAlertRules.Rule memory rule) private pure returns (bool) {
        IAlertRules.Trigger memory trigger = rule.trigger;
        if (rule.kind == IAlertRules.Kind.Absence) {
            if (trigger.hysteresis != 0 || trigger.raiseAfter != 0 || trigger.clearAfter != 0) return false;
        } else if (rule.kind != IAlertRules.Kind.Count && rule.kind != IAlertRules.Kind.Score) {
            return true;
        }
        // A count, a level or a silence is never negative: the alert must be able to end.
        return
            trigger.comparator == IAlertRules.Comparator.AtLeast &&
            trigger.threshold > 0 &&
            trigger.hysteresis < uint64(trigger.threshold);
    }

    function _hasWindow(IAlertRules.Rule memory rule) private pure returns (bool) {
        bool counts = rule.kind == IAlertRules.Kind.Count;
        bool rates = rule.kind == IAlertRules.Kind.Rate;
        bool windowed = rates || rule.kind == IAlertRules.Kind.Difference;
        if (counts != (rule.readings != 0) || windowed != (rule.window != 0)) return false;
        if (rates != (rule.minSpan != 0) || rates != (rule.per != 0) || rule.minSpan > rule.window) return false;
        return !counts || (rule.readings <= MAX_READINGS && uint64(rule.trigger.threshold) <= rule.readings);
    }

    function _hasResponses(IAlertRules.Rule memory rule) private pure returns (bool) {
        uint256 count = rule.responses.length;
        if ((rule.kind == IAlertRules.Kind.Score) != (count != 0) || count > MAX_RESPONSES) return false;
        uint8 level = 0;
        for (uint256 i = 0; i < count; ++i) {
            IAlertRules.Response memory response = rule.responses[i];
            if (response.level <= level || (response.total == 0 && response.single == 0)) return false;
            level = response.level;
        }
        return true;
    }
}
