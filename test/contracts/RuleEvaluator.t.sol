// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {AlertRules} from "../../contracts/AlertRules.sol";
import {RuleEvaluator} from "../../contracts/RuleEvaluator.sol";
import {IAlertRules} from "../../contracts/interfaces/IAlertRules.sol";
import {IRuleEvaluator} from "../../contracts/interfaces/IRuleEvaluator.sol";
import {Rounding} from "../../contracts/libraries/Rounding.sol";
import {RuleSamples} from "./RuleSamples.sol";
import {Draw, vm} from "./Vm.sol";

contract RuleEvaluatorTest is RuleSamples {
    using Draw for Draw.Source;

    uint48 private constant START = 1_772_323_200_000;
    RuleEvaluator private _evaluator;
    AlertRules private _rules;

    function setUp() external {
        _evaluator = new RuleEvaluator();
        _rules = new AlertRules();
    }

    /// @dev Any valid rule over any observations in order has an answer, whatever the values.
    function testFuzz_evaluate_alwaysAnswers(uint256 seed) external view {
        Draw.Source memory source = Draw.Source(seed, 0);
        IAlertRules.Rule memory rule = _rule(source);
        _rules.ruleIdOf(rule);
        IRuleEvaluator.Observation[] memory all = _observations(source, rule.inputs.length);
        for (uint256 i = 0; i < all.length; i++) all[i].mantissa = int64(uint64(uint256(source.word())));
        _evaluator.evaluate(rule, _empty(), all);
    }

    /// @dev Cut into parts anywhere, the same observations lead to the same state.
    function testFuzz_evaluate_inParts(uint256 seed) external view {
        Draw.Source memory source = Draw.Source(seed, 0);
        IAlertRules.Rule memory rule = _rule(source);
        IRuleEvaluator.Observation[] memory all = _observations(source, rule.inputs.length);
        (IRuleEvaluator.State memory whole, ) = _evaluator.evaluate(rule, _empty(), all);

        uint256 cut = source.between(0, all.length);
        (IRuleEvaluator.State memory state, ) = _evaluator.evaluate(rule, _empty(), _slice(all, 0, cut));
        (state, ) = _evaluator.evaluate(rule, state, _slice(all, cut, all.length));
        require(keccak256(abi.encode(state)) == keccak256(abi.encode(whole)), "state");
    }

    /// @dev Looks at the clock in between change nothing in the end.
    function testFuzz_evaluate_whoeverLooksAtTheClock(uint256 seed) external view {
        Draw.Source memory source = Draw.Source(seed, 0);
        IAlertRules.Rule memory rule = _rule(source);
        IRuleEvaluator.Observation[] memory all = _observations(source, rule.inputs.length);
        (IRuleEvaluator.State memory whole, ) = _evaluator.evaluate(rule, _empty(), all);

        IRuleEvaluator.State memory state = _empty();
        IRuleEvaluator.Observation[] memory look = new IRuleEvaluator.Observation[](1);
        for (uint256 i = 0; i < all.length; i++) {
            if (i > 0) {
                look[0] = IRuleEvaluator.Observation({
                    time: uint48(source.between(all[i - 1].time, all[i].time)),
                    report: IRuleEvaluator.Report.Clock,
                    input: 0,
                    mantissa: 0,
                    scale: 0
                });
                (state, ) = _evaluator.evaluate(rule, state, look);
            }
            (state, ) = _evaluator.evaluate(rule, state, _slice(all, i, i + 1));
        }
        require(keccak256(abi.encode(state)) == keccak256(abi.encode(whole)), "state");
    }

    function testFuzz_threshold_follows(int32 threshold, int32 value, uint32 hysteresis) external view {
        IAlertRules.Rule memory rule = _threshold(threshold);
        rule.trigger.hysteresis = hysteresis;
        IRuleEvaluator.Observation[] memory all = new IRuleEvaluator.Observation[](2);
        all[0] = _value(START, threshold);
        all[1] = _value(START + 1, value);
        (, IRuleEvaluator.Result memory result) = _evaluator.evaluate(rule, _empty(), all);
        require(result.measure == value, "measure");
        require(result.active == (int256(value) >= int256(threshold) - int256(uint256(hysteresis))), "active");
    }

    /// @dev Twice the distance to the exact quotient is never more than the divisor, and a tie goes away from zero.
    function testFuzz_rounding_halfAwayFromZero(int64 dividend, uint32 divisor) external pure {
        vm.assume(divisor != 0);
        int256 quotient = Rounding.divide(dividend, divisor);
        int256 twice = 2 * (quotient * int256(uint256(divisor)) - dividend);
        int256 size = int256(uint256(divisor));
        require(twice <= size && twice >= -size, "distance");
        if (twice == size) require(dividend > 0, "tie below zero");
        if (twice == -size) require(dividend < 0, "tie above zero");
    }

    function testFuzz_rounding_toDigits(int64 mantissa, uint8 scale, uint8 digits) external pure {
        scale = scale % 19;
        digits = digits % 7;
        int256 rounded = Rounding.toDigits(mantissa, scale, digits);
        if (scale <= digits) require(rounded == int256(mantissa) * int256(10 ** (digits - scale)), "widened");
        else require(rounded == Rounding.divide(mantissa, 10 ** (scale - digits)), "rounded");
    }

    /// @dev A threshold, rate, difference or absence rule with random numbers.
    function _rule(Draw.Source memory source) private pure returns (IAlertRules.Rule memory rule) {
        rule = _threshold(int64(int256(source.between(0, 10))));
        uint256 kind = source.between(0, 3);
        if (kind == 3) {
            rule.kind = IAlertRules.Kind.Absence;
            rule.trigger.threshold = int64(int256(source.between(1, 30_000)));
            return rule;
        }
        rule.trigger.comparator = IAlertRules.Comparator(source.between(0, 1));
        rule.trigger.hysteresis = uint64(source.between(0, 3));
        rule.trigger.raiseAfter = uint48(source.between(0, 5000));
        rule.trigger.clearAfter = uint48(source.between(0, 5000));
        if (kind == 1) {
            rule.kind = IAlertRules.Kind.Rate;
            rule.window = uint48(source.between(1, 60_000));
            rule.minSpan = uint48(source.between(1, rule.window));
            rule.per = uint48(source.between(1, 60_000));
        } else if (kind == 2) {
            rule.kind = IAlertRules.Kind.Difference;
            rule.window = uint48(source.between(1, 5000));
            rule.inputs = new IAlertRules.Input[](2);
            rule.inputs[0] = _heartRate();
            rule.inputs[1] = _heartRate();
        }
    }

    function _observations(
        Draw.Source memory source,
        uint256 inputs
    ) private pure returns (IRuleEvaluator.Observation[] memory all) {
        all = new IRuleEvaluator.Observation[](source.between(1, 12));
        uint256 time = START;
        for (uint256 i = 0; i < all.length; i++) {
            time += source.between(0, 4) == 0 ? source.between(0, 40_000) : source.between(0, 2000);
            uint256 report = source.between(0, 13);
            all[i] = _value(uint48(time), int64(int256(source.between(0, 14))) - 2);
            all[i].report = IRuleEvaluator.Report(report < 7 ? report : 0);
            all[i].input = uint8(source.between(0, inputs - 1));
            all[i].scale = uint8(source.between(0, 2));
        }
    }

    function _slice(
        IRuleEvaluator.Observation[] memory all,
        uint256 from,
        uint256 to
    ) private pure returns (IRuleEvaluator.Observation[] memory part) {
        part = new IRuleEvaluator.Observation[](to - from);
        for (uint256 i = 0; i < part.length; i++) part[i] = all[from + i];
    }

    function _value(uint48 time, int64 mantissa) private pure returns (IRuleEvaluator.Observation memory) {
        return IRuleEvaluator.Observation(time, IRuleEvaluator.Report.Value, 0, mantissa, 0);
    }

    function _empty() private pure returns (IRuleEvaluator.State memory state) {}
}
