// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAlertRules} from "./interfaces/IAlertRules.sol";

/// @title Alerts on chain: raised, escalated by anybody, acknowledged by a one-time address
/// @dev Immutable and without an owner. One storage slot an open alert, used again for later ones.
abstract contract AlertEscalation is IAlertRules, EIP712 {
    struct Alert {
        uint48 raisedAt;
        Stage stage;
        bytes25 digest;
    }

    /// @dev One for all severities, since a deadline of its own would tell how severe an alert is.
    uint48 private constant DEADLINE = 15 minutes;

    bytes32 private constant ACKNOWLEDGE_TYPEHASH = keccak256(
        "Acknowledge(address gateway,uint32 slot,bytes32 sealedAlert)"
    );

    mapping(address gateway => mapping(uint32 slot => Alert alert)) private _alerts;

    constructor() EIP712("MedSeal AlertRules", "1") {}

    /// @inheritdoc IAlertRules
    function raise(uint32 slot, bytes25 digest) external {
        Alert storage alert = _alerts[msg.sender][slot];
        if (alert.stage == Stage.Raised) revert AlertStillOpen(slot);

        _alerts[msg.sender][slot] = Alert({raisedAt: uint48(block.timestamp), stage: Stage.Raised, digest: digest});

        emit AlertRaised(msg.sender, slot, digest);
    }

    /// @inheritdoc IAlertRules
    function escalate(address gateway, uint32 slot) external {
        Alert storage alert = _alerts[gateway][slot];
        if (alert.stage != Stage.Raised) revert AlertNotOpen(gateway, slot, alert.stage);
        uint48 deadline = alert.raisedAt + DEADLINE;
        if (block.timestamp <= deadline) revert AlertDeadlineNotPassed(deadline);

        alert.stage = Stage.Escalated;

        emit AlertEscalated(gateway, slot, alert.digest);
    }

    /// @inheritdoc IAlertRules
    function acknowledge(address gateway, uint32 slot, bytes32 sealedAlert, bytes calldata signature) external {
        Alert storage alert = _alerts[gateway][slot];
        bool open = alert.stage == Stage.Raised || alert.stage == Stage.Escalated;
        if (!open) revert AlertNotOpen(gateway, slot, alert.stage);
        bytes32 message = keccak256(abi.encode(ACKNOWLEDGE_TYPEHASH, gateway, slot, sealedAlert));
        (address responder, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(
            _hashTypedDataV4(message),
            signature
        );
        bytes25 digest = bytes25(keccak256(bytes.concat(sealedAlert, bytes20(responder))));
        if (problem != ECDSA.RecoverError.NoError || digest != alert.digest) revert AlertAcknowledgementInvalid();

        alert.stage = Stage.Acknowledged;

        emit AlertAcknowledged(gateway, slot, digest);
    }

    /// @inheritdoc IAlertRules
    function alertOf(
        address gateway,
        uint32 slot
    ) external view returns (Stage stage, uint48 raisedAt, bytes25 digest) {
        Alert memory alert = _alerts[gateway][slot];
        return (alert.stage, alert.raisedAt, alert.digest);
    }
}
