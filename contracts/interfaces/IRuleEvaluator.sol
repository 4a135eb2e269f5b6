// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IAlertRules} from "./IAlertRules.sol";

/// @title Rule evaluator: what a rule says of observations
/// @notice Pure: without storage, owner or events. The code on chain is the reference for every other evaluator and settles disputes.
/// @dev Values are decimals as integers with a scale; times are milliseconds since 1970-01-01T00:00:00Z, cut off.
interface IRuleEvaluator {
    /// @notice What an observation says about its input; `Clock` only says what time it is.
    enum Report {
        Value,
        Missing,
        Clock,
        Resumed,
        AnnouncedOffline,
        DeviceRetired,
        ConsentPaused
    }

    /// @notice Whether there is something to judge, and if not, why; of several inputs the latest in this list counts.
    /// @dev Waiting: not enough values yet. Missing: the source marked the value absent, or it has no score. NoData: older than `maxAge`.
    enum Status {
        Available,
        Waiting,
        Missing,
        NoData,
        AnnouncedOffline,
        DeviceRetired,
        ConsentPaused
    }

    /// @notice One thing learnt about one input.
    /// @param input Number of the input, from 0.
    /// @param mantissa For Value: the decimal's digits without the point.
    /// @param scale For Value: how many of them stand behind the point, at most 18.
    struct Observation {
        uint48 time;
        Report report;
        uint8 input;
        int64 mantissa;
        uint8 scale;
    }

    /// @notice A value rounded to its input's digits.
    struct Reading {
        uint48 time;
        int128 value;
    }

    /// @notice What an evaluation remembers of one input.
    /// @param expectation Available while data is expected, else why not.
    /// @param expectedSince Since when data has been expected.
    /// @param missing Whether the source has marked the value absent since the latest one.
    /// @param latest The latest value; its time is 0 when there is none.
    struct InputState {
        Status expectation;
        uint48 expectedSince;
        bool missing;
        Reading latest;
    }

    /// @notice All that an evaluation remembers; everything zero and empty before the first observation.
    /// @param time Of the last observation.
    /// @param active Whether there is an alert.
    /// @param since Since when what ends this state has held; 0 when it does not.
    /// @param changedAt When `active` changed last, exactly, whenever it was noticed.
    /// @param alerts How many alerts have begun.
    /// @param history Earlier values, for Count and Rate.
    struct State {
        uint48 time;
        bool active;
        uint48 since;
        uint48 changedAt;
        uint32 alerts;
        InputState[] inputs;
        Reading[] history;
    }

    /// @notice What the state says at its time.
    /// @param measured Whether there is a measure; without one `measure` and `level` are 0 and mean nothing.
    /// @param level For Score: the highest level of response that is called for.
    struct Result {
        Status status;
        bool measured;
        int256 measure;
        uint8 level;
        bool active;
    }

    /// @notice Thrown when an observation is older than the state; evaluate again from a state before it.
    error ObservationOutOfOrder(uint48 time, uint48 stateTime);

    /// @notice Thrown when an observation names an input that the rule does not have, or has a scale above 18.
    error ObservationInvalid();

    /// @notice Thrown when a state is of another rule.
    error StateInvalid();

    /// @notice Judges observations, in the order of their times, from a state on.
    /// @dev Observations may be given one by one or many at once, with or without `Clock` in between: the state is the same in the end.
    /// @dev The rule must be valid, as those in `AlertRules` are: see `ruleIdOf` there. Of another, the answer means nothing.
    /// @dev Warning: the arguments are clear text. Over a remote RPC they are disclosed to its operator, in a transaction to everybody
    /// for ever. Call it in an in-process EVM with the code from the chain.
    /// @return after_ The state after the last observation.
    /// @return result What it says.
    function evaluate(
        IAlertRules.Rule calldata rule,
        State calldata state,
        Observation[] calldata observations
    ) external pure returns (State memory after_, Result memory result);
}
