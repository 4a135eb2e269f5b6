// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IAlertRules} from "./interfaces/IAlertRules.sol";
import {IRuleEvaluator} from "./interfaces/IRuleEvaluator.sol";
import {RuleEvaluation} from "./libraries/RuleEvaluation.sol";

/// @title Rule evaluator
/// @dev A contract of its own: together with the library it would be half as large again as a contract here may be.
contract RuleEvaluator is IRuleEvaluator {
    /// @inheritdoc IRuleEvaluator
    function evaluate(
        IAlertRules.Rule memory rule,
        State memory state,
        Observation[] memory observations
    ) external pure returns (State memory after_, Result memory result) {
        return RuleEvaluation.evaluate(rule, state, observations);
    }
}
