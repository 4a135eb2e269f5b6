// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IAlertRules} from "../interfaces/IAlertRules.sol";
import {IRuleEvaluator} from "../interfaces/IRuleEvaluator.sol";
import {Rounding} from "./Rounding.sol";

/// @title What a rule measures in a state
/// @dev Twins in TypeScript: one file a kind in `src/alerts/kinds/`.
library RuleMeasure {
    /// @dev What a kind finds; `active` is the trigger's.
    function measure(
        IAlertRules.Rule memory rule,
        IRuleEvaluator.State memory state
    ) internal pure returns (IRuleEvaluator.Result memory result) {
        result.active = state.active;
        for (uint256 i = 0; i < state.inputs.length; ++i) {
            IRuleEvaluator.Status status = _statusOf(rule.inputs[i].maxAge, state.inputs[i], state.time);
            if (status > result.status) result.status = status;
        }
        if (rule.kind == IAlertRules.Kind.Absence) _absence(state, result);
        else if (result.status != IRuleEvaluator.Status.Available) return result;
        else if (rule.kind == IAlertRules.Kind.Threshold) _set(result, state.inputs[0].latest.value);
        else if (rule.kind == IAlertRules.Kind.Count) _count(rule, state, result);
        else if (rule.kind == IAlertRules.Kind.Rate) _rate(rule, state, result);
        else if (rule.kind == IAlertRules.Kind.Difference) _difference(rule, state, result);
        else _score(rule, state, result);
    }

    /// @dev The latest value, or the time since when one has been expected.
    function lastHeard(IRuleEvaluator.InputState memory input) internal pure returns (uint48) {
        return input.latest.time != 0 ? input.latest.time : input.expectedSince;
    }

    function _statusOf(
        uint48 maxAge,
        IRuleEvaluator.InputState memory input,
        uint48 time
    ) private pure returns (IRuleEvaluator.Status) {
        if (input.expectation != IRuleEvaluator.Status.Available) return input.expectation;
        if (time > uint256(lastHeard(input)) + maxAge) return IRuleEvaluator.Status.NoData;
        if (input.missing) return IRuleEvaluator.Status.Missing;
        return input.latest.time == 0 ? IRuleEvaluator.Status.Waiting : IRuleEvaluator.Status.Available;
    }

    function _absence(IRuleEvaluator.State memory state, IRuleEvaluator.Result memory result) private pure {
        IRuleEvaluator.InputState memory input = state.inputs[0];
        if (input.expectation != IRuleEvaluator.Status.Available) return;
        uint48 heard = lastHeard(input);
        _set(result, state.time > heard ? int256(uint256(state.time - heard)) : int256(0));
    }

    function _count(
        IAlertRules.Rule memory rule,
        IRuleEvaluator.State memory state,
        IRuleEvaluator.Result memory result
    ) private pure {
        int256 counted = 0;
        for (uint256 i = 0; i < state.history.length; ++i) {
            (, uint8 score) = _scoreOf(rule.inputs[0].bands, state.history[i].value, state);
            if (score != 0) ++counted;
        }
        _set(result, counted);
    }

    function _rate(
        IAlertRules.Rule memory rule,
        IRuleEvaluator.State memory state,
        IRuleEvaluator.Result memory result
    ) private pure {
        IRuleEvaluator.Reading memory latest = state.inputs[0].latest;
        if (state.history.length == 0 || uint256(state.history[0].time) + rule.minSpan > latest.time) {
            result.status = IRuleEvaluator.Status.Waiting;
            return;
        }
        IRuleEvaluator.Reading memory first = state.history[0];
        int256 change = (int256(latest.value) - first.value) * int256(uint256(rule.per));
        _set(result, Rounding.divide(change, latest.time - first.time));
    }

    function _difference(
        IAlertRules.Rule memory rule,
        IRuleEvaluator.State memory state,
        IRuleEvaluator.Result memory result
    ) private pure {
        IRuleEvaluator.Reading memory a = state.inputs[0].latest;
        IRuleEvaluator.Reading memory b = state.inputs[1].latest;
        if ((a.time > b.time ? a.time - b.time : b.time - a.time) > rule.window) {
            result.status = IRuleEvaluator.Status.Waiting;
            return;
        }
        int256 difference = int256(a.value) - b.value;
        _set(result, difference < 0 ? -difference : difference);
    }

    function _score(
        IAlertRules.Rule memory rule,
        IRuleEvaluator.State memory state,
        IRuleEvaluator.Result memory result
    ) private pure {
        uint256 total = 0;
        uint8 highest = 0;
        for (uint256 i = 0; i < state.inputs.length; ++i) {
            (bool found, uint8 score) = _scoreOf(rule.inputs[i].bands, state.inputs[i].latest.value, state);
            if (!found) {
                result.status = IRuleEvaluator.Status.Missing;
                return;
            }
            total += score;
            if (score > highest) highest = score;
        }
        for (uint256 i = 0; i < rule.responses.length; ++i) {
            IAlertRules.Response memory response = rule.responses[i];
            bool called = response.total != 0 && total >= response.total;
            if (called || (response.single != 0 && highest >= response.single)) result.level = response.level;
        }
        _set(result, int256(total));
    }

    function _scoreOf(
        IAlertRules.Band[] memory bands,
        int128 value,
        IRuleEvaluator.State memory state
    ) private pure returns (bool found, uint8 score) {
        for (uint256 i = 0; i < bands.length; ++i) {
            IAlertRules.Band memory band = bands[i];
            if (value < band.low || value > band.high) continue;
            if (band.whenInput != 0) {
                int128 other = state.inputs[band.whenInput - 1].latest.value;
                if (other < band.whenLow || other > band.whenHigh) continue;
            }
            return (true, band.score);
        }
    }

    function _set(IRuleEvaluator.Result memory result, int256 value) private pure {
        result.measured = true;
        result.measure = value;
    }
}
