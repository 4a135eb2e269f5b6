// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title Alert rules: a public library of rules, and escalation that nobody can hold back
/// @notice A rule is generic and names no patient. Which rules and responders apply to whom is in sealed care plans. What a rule says
/// of observations is `IRuleEvaluator`'s.
/// @dev Durations in a rule are milliseconds; the library and the escalation count in seconds, as blocks do.
/// @dev The EIP-712 domain is ("MedSeal AlertRules", "1", chain id, this).
interface IAlertRules is IERC5267 {
    /// @notice What a rule measures.
    /// @dev Threshold: the latest value. Count: how many of the last `readings` values have a score above 0. Rate: the change of the
    /// value `per` milliseconds, from the oldest value in `window` to the latest. Difference: how far two values are apart, either way.
    /// Absence: milliseconds without a value. Score: the sum of the inputs' scores; its alert follows the level of the response.
    enum Kind {
        Threshold,
        Count,
        Rate,
        Difference,
        Absence,
        Score
    }

    /// @notice On which side of the threshold an alert begins; the threshold itself is included.
    enum Comparator {
        AtLeast,
        AtMost
    }

    /// @notice How far an alert on chain has come.
    enum Stage {
        None,
        Raised,
        Escalated,
        Acknowledged
    }

    /// @notice Values from `low` to `high`, both included, have this score.
    /// @param whenInput 0, or the number from 1 of the input whose value must lie from `whenLow` to `whenHigh` for the band to count.
    struct Band {
        int64 low;
        int64 high;
        uint8 score;
        uint8 whenInput;
        int64 whenLow;
        int64 whenHigh;
    }

    /// @notice One channel that a rule looks at.
    /// @param system Code system, such as `http://loinc.org`.
    /// @param code Code in it, such as `8867-4`.
    /// @param unit UCUM unit, empty for none.
    /// @param digits Digits behind the point; values are rounded to so many before anything else, half away from zero.
    /// @param maxAge Milliseconds for which a value counts.
    /// @param bands For Count and Score: the first band that holds the value gives its score; outside of all there is none.
    struct Input {
        string system;
        string code;
        string unit;
        uint8 digits;
        uint48 maxAge;
        Band[] bands;
    }

    /// @notice When an alert begins and ends.
    /// @param threshold In units of the measure; for Score a level.
    /// @param hysteresis How far beyond the threshold the measure must return before the alert can end.
    /// @param raiseAfter Milliseconds for which the measure must be at or beyond the threshold.
    /// @param clearAfter Milliseconds for which it must have returned.
    struct Trigger {
        Comparator comparator;
        int64 threshold;
        uint64 hysteresis;
        uint48 raiseAfter;
        uint48 clearAfter;
    }

    /// @notice The level of response that a total, or the score of a single input, calls for; 0 is "does not count".
    struct Response {
        uint16 total;
        uint8 single;
        uint8 level;
    }

    /// @notice A rule. What its kind does not use is zero or empty.
    /// @param name What the publisher calls it, 1 to 64 bytes.
    /// @param version From 1, without a gap for each name of a publisher.
    /// @param inputs One; two for Difference; up to 16 for Score.
    /// @param window Rate: milliseconds that the change is taken over. Difference: milliseconds that the two values may lie apart.
    /// @param minSpan Rate: milliseconds that the values must span at least.
    /// @param per Rate: milliseconds that the threshold's rate is stated for.
    /// @param readings Count: the last so many values, at most 64.
    /// @param responses Score: at least one, by ascending level.
    struct Rule {
        string name;
        uint32 version;
        Kind kind;
        Input[] inputs;
        Trigger trigger;
        uint48 window;
        uint48 minSpan;
        uint48 per;
        uint16 readings;
        Response[] responses;
    }

    /// @notice Thrown when a rule breaks a limit, or sets something that its kind does not use.
    error RuleInvalid();

    /// @notice Thrown when a publisher's rule does not have the version after the last one of its name.
    error RuleVersionMismatch(uint32 version, uint32 expectedVersion);

    /// @notice Thrown when the caller retires a rule that they have not published.
    error RuleNotPublished(bytes32 ruleId);

    /// @notice Thrown when the caller retires a rule again.
    error RuleRetiredAlready(bytes32 ruleId, uint48 retiredAt);

    /// @notice Thrown when a gateway's slot still holds an alert that is neither acknowledged nor escalated.
    error AlertStillOpen(uint32 slot);

    /// @notice Thrown when an alert to escalate or acknowledge is not raised, or has come further already.
    error AlertNotOpen(address gateway, uint32 slot, Stage stage);

    /// @notice Thrown when an alert is escalated before its deadline has passed.
    error AlertDeadlineNotPassed(uint48 deadline);

    /// @notice Thrown when the signature is not the responder's for this alert, slot, contract and chain.
    error AlertAcknowledgementInvalid();

    /// @notice A rule is in the publisher's library from this block, for ever.
    event RulePublished(address indexed publisher, bytes32 indexed ruleId, Rule rule);

    /// @notice A publisher advises against new use of a rule. It can still be evaluated.
    event RuleRetired(address indexed publisher, bytes32 indexed ruleId);

    /// @notice A gateway has raised an alert in a slot of its own.
    event AlertRaised(address indexed gateway, uint32 slot, bytes25 digest);

    /// @notice Nobody has acknowledged the alert in time.
    event AlertEscalated(address indexed gateway, uint32 slot, bytes25 digest);

    /// @notice The alert's one-time responder has taken it on, in time or later.
    event AlertAcknowledged(address indexed gateway, uint32 slot, bytes25 digest);

    /// @notice Puts a rule into the caller's library, where it can be retired but never altered.
    /// @dev Warning: a rule is public. It must not be made for one patient.
    function publish(Rule calldata rule) external returns (bytes32 ruleId);

    /// @notice Advises against new use of a rule of the caller.
    function retire(bytes32 ruleId) external;

    /// @notice When a publisher published and retired a rule; 0 is "not".
    /// @dev Libraries are apart, so that nobody can retire what another published.
    function ruleOf(address publisher, bytes32 ruleId) external view returns (uint48 publishedAt, uint48 retiredAt);

    /// @notice The version that a publisher's rule of this name has now; 0 before the first.
    function versionOf(address publisher, string calldata name) external view returns (uint32);

    /// @notice The id of a valid rule: `keccak256("medseal/rule/1\n" ‖ abi.encode(rule))`.
    function ruleIdOf(Rule calldata rule) external pure returns (bytes32);

    /// @notice Raises an alert in one of the caller's slots.
    /// @dev A slot is free again once its alert is acknowledged or escalated; an open alert cannot be overwritten. A slot that was used
    /// before costs the gas of a changed storage slot, no more.
    /// @param digest The first 25 bytes of `keccak256(sealedAlert ‖ responder)`: the SHA-256 digest of the sealed alert and the
    /// one-time address, 20 bytes, that the care plan names for it.
    function raise(uint32 slot, bytes25 digest) external;

    /// @notice Notes that an alert was not acknowledged within 15 minutes; anybody may.
    function escalate(address gateway, uint32 slot) external;

    /// @notice Takes the responder's acknowledgement, before or after the deadline; anybody may relay it.
    /// @param sealedAlert SHA-256 digest of the sealed alert.
    /// @param signature 65 bytes of the one-time responder over `Acknowledge(address gateway,uint32 slot,bytes32 sealedAlert)`.
    function acknowledge(address gateway, uint32 slot, bytes32 sealedAlert, bytes calldata signature) external;

    /// @notice The alert in a gateway's slot, open or not.
    function alertOf(address gateway, uint32 slot) external view returns (Stage stage, uint48 raisedAt, bytes25 digest);
}
