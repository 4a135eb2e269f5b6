// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {AlertEscalation} from "./AlertEscalation.sol";
import {IAlertRules} from "./interfaces/IAlertRules.sol";
import {RuleLimits} from "./libraries/RuleLimits.sol";

/// @title Alert rules
/// @dev Immutable and without an owner: a rule's publisher can retire it, and nobody can do more.
contract AlertRules is AlertEscalation {
    struct Entry {
        uint48 publishedAt;
        uint48 retiredAt;
    }

    mapping(address publisher => mapping(bytes32 ruleId => Entry entry)) private _rules;
    mapping(address publisher => mapping(string name => uint32 version)) private _versions;

    /// @inheritdoc IAlertRules
    function publish(Rule memory rule) external returns (bytes32 ruleId) {
        ruleId = ruleIdOf(rule);
        uint32 next = _versions[msg.sender][rule.name] + 1;
        if (rule.version != next) revert RuleVersionMismatch(rule.version, next);

        _versions[msg.sender][rule.name] = next;
        _rules[msg.sender][ruleId].publishedAt = uint48(block.timestamp);

        emit RulePublished(msg.sender, ruleId, rule);
    }

    /// @inheritdoc IAlertRules
    function retire(bytes32 ruleId) external {
        Entry storage entry = _rules[msg.sender][ruleId];
        if (entry.publishedAt == 0) revert RuleNotPublished(ruleId);
        if (entry.retiredAt != 0) revert RuleRetiredAlready(ruleId, entry.retiredAt);

        entry.retiredAt = uint48(block.timestamp);

        emit RuleRetired(msg.sender, ruleId);
    }

    /// @inheritdoc IAlertRules
    function ruleOf(address publisher, bytes32 ruleId) external view returns (uint48 publishedAt, uint48 retiredAt) {
        Entry memory entry = _rules[publisher][ruleId];
        return (entry.publishedAt, entry.retiredAt);
    }

    /// @inheritdoc IAlertRules
    function versionOf(address publisher, string calldata name) external view returns (uint32) {
        return _versions[publisher][name];
    }

    /// @inheritdoc IAlertRules
    function ruleIdOf(Rule memory rule) public pure returns (bytes32) {
        RuleLimits.requireValid(rule);
        return keccak256(bytes.concat("medseal/rule/1\n", abi.encode(rule)));
    }
}
