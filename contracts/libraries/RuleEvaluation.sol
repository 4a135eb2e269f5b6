// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IAlertRules} from "../interfaces/IAlertRules.sol";
import {IRuleEvaluator} from "../interfaces/IRuleEvaluator.sol";
import {Rounding} from "./Rounding.sol";
import {RuleMeasure} from "./RuleMeasure.sol";

/// @title From a state and observations to the next state
/// @dev Twin in TypeScript: `src/alerts/evaluate.ts`.
library RuleEvaluation {
    uint8 private constant MAX_SCALE = 18;

    /// @dev Values that Rate keeps of a window, at most.
    uint48 private constant KEPT = 64;

    function evaluate(
        IAlertRules.Rule memory rule,
        IRuleEvaluator.State memory state,
        IRuleEvaluator.Observation[] memory observations
    ) internal pure returns (IRuleEvaluator.State memory, IRuleEvaluator.Result memory) {
        if (state.inputs.length != rule.inputs.length) {
            if (state.inputs.length != 0 || state.time != 0) revert IRuleEvaluator.StateInvalid();
            state.inputs = new IRuleEvaluator.InputState[](rule.inputs.length);
        }
        for (uint256 i = 0; i < observations.length; ++i) _step(rule, state, observations[i]);
        return (state, RuleMeasure.measure(rule, state));
    }

    function _step(
        IAlertRules.Rule memory rule,
        IRuleEvaluator.State memory state,
        IRuleEvaluator.Observation memory observation
    ) private pure {
        if (observation.time == 0 || observation.time < state.time) {
            revert IRuleEvaluator.ObservationOutOfOrder(observation.time, state.time);
        }
        if (observation.input >= rule.inputs.length || observation.scale > MAX_SCALE) {
            revert IRuleEvaluator.ObservationInvalid();
        }
        _advance(rule, state, observation.time);
        _apply(rule, state, observation);
        _judge(rule, state);
    }

    /// @dev Judges what passed unobserved. Nothing changes in between but the age of values, so two looks are as good as any
    /// number: one at the last moment at which all of them count, one now.
    function _advance(IAlertRules.Rule memory rule, IRuleEvaluator.State memory state, uint48 time) private pure {
        if (state.time == 0) {
            for (uint256 i = 0; i < state.inputs.length; ++i) state.inputs[i].expectedSince = time;
            state.time = time;
            return;
        }
        uint256 fresh = time;
        for (uint256 i = 0; i < state.inputs.length; ++i) {
            uint256 until = uint256(RuleMeasure.lastHeard(state.inputs[i])) + rule.inputs[i].maxAge;
            if (until >= state.time && until < fresh) fresh = until;
        }
        if (fresh < time) {
            state.time = uint48(fresh);
            _judge(rule, state);
        }
        state.time = time;
        _judge(rule, state);
    }

    function _apply(
        IAlertRules.Rule memory rule,
        IRuleEvaluator.State memory state,
        IRuleEvaluator.Observation memory observation
    ) private pure {
        IRuleEvaluator.InputState memory input = state.inputs[observation.input];
        bool expected = input.expectation == IRuleEvaluator.Status.Available;
        IRuleEvaluator.Report report = observation.report;
        if (report == IRuleEvaluator.Report.Clock) return;
        if (report == IRuleEvaluator.Report.Value) {
            // A device that announced to be offline is back with its first value; data that must not come is not looked at.
            if (!expected && input.expectation != IRuleEvaluator.Status.AnnouncedOffline) return;
            int128 value = Rounding.toDigits(
                observation.mantissa,
                observation.scale,
                rule.inputs[observation.input].digits
            );
            if (!expected) input.expectedSince = observation.time;
            input.expectation = IRuleEvaluator.Status.Available;
            input.missing = false;
            input.latest = IRuleEvaluator.Reading({time: observation.time, value: value});
            _remember(rule, state, input.latest);
        } else if (report == IRuleEvaluator.Report.Missing) {
            if (expected) input.missing = true;
        } else if (report == IRuleEvaluator.Report.Resumed) {
            if (expected) return;
            input.expectation = IRuleEvaluator.Status.Available;
            input.expectedSince = observation.time;
        } else {
            // The reports after Resumed have the numbers of their statuses.
            input.expectation = IRuleEvaluator.Status(uint8(report));
            input.missing = false;
            input.latest = IRuleEvaluator.Reading({time: 0, value: 0});
            state.history = new IRuleEvaluator.Reading[](0);
        }
    }

    /// @dev Count: the last values. Rate: values of the window, so far apart that there are never more than `KEPT`.
    function _remember(
        IAlertRules.Rule memory rule,
        IRuleEvaluator.State memory state,
        IRuleEvaluator.Reading memory latest
    ) private pure {
        IRuleEvaluator.Reading[] memory history = state.history;
        uint256 dropped = 0;
        bool kept = true;
        if (rule.kind == IAlertRules.Kind.Count) {
            if (history.length >= rule.readings) dropped = history.length + 1 - rule.readings;
        } else if (rule.kind == IAlertRules.Kind.Rate) {
            while (dropped < history.length && uint256(history[dropped].time) + rule.window < latest.time) ++dropped;
            uint256 last = dropped < history.length ? history[history.length - 1].time : 0;
            kept = last == 0 || last + rule.window / KEPT + 1 <= latest.time;
        } else {
            return;
        }
        uint256 left = history.length - dropped;
        state.history = new IRuleEvaluator.Reading[](left + (kept ? 1 : 0));
        for (uint256 i = 0; i < left; ++i) state.history[i] = history[dropped + i];
        if (kept) state.history[left] = latest;
    }

    /// @dev A value marked missing neither begins nor ends anything; silence and pauses begin the count of a duration anew.
    function _judge(IAlertRules.Rule memory rule, IRuleEvaluator.State memory state) private pure {
        IRuleEvaluator.Result memory result = RuleMeasure.measure(rule, state);
        if (!result.measured && result.status == IRuleEvaluator.Status.Missing) return;
        if (!result.measured || !_isToChange(rule, state.active, result)) {
            state.since = 0;
            return;
        }
        if (state.since == 0) state.since = _beginning(rule, state);
        uint256 due = uint256(state.since) + (state.active ? rule.trigger.clearAfter : rule.trigger.raiseAfter);
        if (state.time < due) return;
        state.active = !state.active;
        state.changedAt = uint48(due);
        state.since = 0;
        if (state.active) ++state.alerts;
    }

    /// @dev Whether the measure calls for an alert where there is none, or for its end where there is one.
    function _isToChange(
        IAlertRules.Rule memory rule,
        bool active,
        IRuleEvaluator.Result memory result
    ) private pure returns (bool) {
        IAlertRules.Trigger memory trigger = rule.trigger;
        int256 measure = rule.kind == IAlertRules.Kind.Score ? int256(uint256(result.level)) : result.measure;
        int256 beyond =
            trigger.comparator == IAlertRules.Comparator.AtLeast
                ? measure - trigger.threshold
                : trigger.threshold - measure;
        return active ? beyond < -int256(uint256(trigger.hysteresis)) : beyond >= 0;
    }

    /// @dev Silence has lasted for its threshold at a moment of its own; everything else changes with an observation.
    function _beginning(IAlertRules.Rule memory rule, IRuleEvaluator.State memory state) private pure returns (uint48) {
        if (rule.kind != IAlertRules.Kind.Absence || state.active) return state.time;
        return RuleMeasure.lastHeard(state.inputs[0]) + uint48(uint64(rule.trigger.threshold));
    }
}
