// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {AlertRules} from "../../contracts/AlertRules.sol";
import {IAlertRules} from "../../contracts/interfaces/IAlertRules.sol";
import {RuleSamples} from "./RuleSamples.sol";
import {vm} from "./Vm.sol";

contract AlertRulesTest is RuleSamples {
    address private constant LEAD = address(0x1EAD);
    uint48 private constant START = 1_800_000_000;

    AlertRules private _rules;

    function setUp() external {
        _rules = new AlertRules();
        vm.warp(START);
    }

    function testFuzz_publish_keepsTheRuleForEver(string calldata name, int64 threshold, uint32 delay) external {
        vm.assume(bytes(name).length != 0 && bytes(name).length <= 64);
        IAlertRules.Rule memory rule = _threshold(threshold);
        rule.name = name;
        bytes32 id = keccak256(bytes.concat("medseal/rule/1\n", abi.encode(rule)));

        vm.expectEmit(true, true, true, true, address(_rules));
        emit IAlertRules.RulePublished(LEAD, id, rule);
        vm.prank(LEAD);
        require(_rules.publish(rule) == id, "id");
        _requireEntry(id, START, 0);
        require(_rules.versionOf(LEAD, name) == 1, "version");

        vm.warp(START + uint256(delay));
        vm.expectEmit(true, true, true, true, address(_rules));
        emit IAlertRules.RuleRetired(LEAD, id);
        vm.prank(LEAD);
        _rules.retire(id);
        _requireEntry(id, START, START + uint48(delay));

        vm.expectRevert(abi.encodeWithSelector(IAlertRules.RuleRetiredAlready.selector, id, START + uint48(delay)));
        vm.prank(LEAD);
        _rules.retire(id);
        vm.expectRevert(abi.encodeWithSelector(IAlertRules.RuleVersionMismatch.selector, 1, 2));
        vm.prank(LEAD);
        _rules.publish(rule);
    }

    function testFuzz_publish_takesTheNextVersionOnly(uint32 version) external {
        IAlertRules.Rule memory rule = _threshold(120);
        for (uint32 next = 1; next <= 3; next++) {
            if (version != next && version != 0) {
                rule.version = version;
                vm.expectRevert(abi.encodeWithSelector(IAlertRules.RuleVersionMismatch.selector, version, next));
                vm.prank(LEAD);
                _rules.publish(rule);
            }
            rule.version = next;
            vm.prank(LEAD);
            _rules.publish(rule);
        }
        require(_rules.versionOf(LEAD, rule.name) == 3, "version");
    }

    /// @dev What one publisher does is nothing to another who publishes the same rule.
    function testFuzz_publishers_areApart(address other) external {
        vm.assume(other != LEAD);
        IAlertRules.Rule memory rule = _threshold(120);
        vm.prank(other);
        bytes32 id = _rules.publish(rule);
        vm.prank(other);
        _rules.retire(id);
        _requireEntry(id, 0, 0);

        vm.expectRevert(abi.encodeWithSelector(IAlertRules.RuleNotPublished.selector, id));
        vm.prank(LEAD);
        _rules.retire(id);

        vm.prank(LEAD);
        require(_rules.publish(rule) == id, "id");
        _requireEntry(id, START, 0);
    }

    function testFuzz_publish_refusesWhatItsKindDoesNotUse(uint48 window, uint16 readings) external {
        vm.assume(window != 0 || readings != 0);
        IAlertRules.Rule memory rule = _threshold(120);
        rule.window = window;
        rule.readings = readings;
        vm.expectRevert(abi.encodeWithSelector(IAlertRules.RuleInvalid.selector));
        _rules.publish(rule);
    }

    /// @dev No two rules have one id: whatever differs, the id does.
    function testFuzz_ruleIdOf_bindsEverything(int64 threshold, uint32 version, uint48 maxAge) external view {
        vm.assume(version != 0 && maxAge != 0);
        IAlertRules.Rule memory rule = _threshold(120);
        bytes32 id = _rules.ruleIdOf(rule);
        IAlertRules.Rule memory other = _threshold(threshold);
        other.version = version;
        other.inputs[0].maxAge = maxAge;
        bool same = threshold == 120 && version == rule.version && maxAge == rule.inputs[0].maxAge;
        require((_rules.ruleIdOf(other) == id) == same, "id");
    }

    function _requireEntry(bytes32 id, uint48 published, uint48 retired) private view {
        (uint48 publishedAt, uint48 retiredAt) = _rules.ruleOf(LEAD, id);
        require(publishedAt == published && retiredAt == retired, "entry");
    }
}
