// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IAlertRules} from "../../contracts/interfaces/IAlertRules.sol";

abstract contract RuleSamples {
    /// @dev A heart rate of at least `threshold`.
    function _threshold(int64 threshold) internal pure returns (IAlertRules.Rule memory rule) {
        rule.name = "heart-rate";
        rule.version = 1;
        rule.inputs = new IAlertRules.Input[](1);
        rule.inputs[0] = _heartRate();
        rule.trigger.threshold = threshold;
    }

    function _heartRate() internal pure returns (IAlertRules.Input memory input) {
        input.system = "http://loinc.org";
        input.code = "8867-4";
        input.unit = "/min";
        input.maxAge = 10_000;
    }
}
