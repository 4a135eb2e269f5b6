// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IDeviceRegistry} from "./interfaces/IDeviceRegistry.sol";
import {DeviceKey} from "./libraries/DeviceKey.sol";

/// @title Device registry
/// @dev Immutable but for its authority, which can hand over to another one.
contract DeviceRegistry is IDeviceRegistry, AccessManaged {
    using Checkpoints for Checkpoints.Trace208;
    using DeviceKey for Key;

    mapping(bytes32 deviceId => Device device) private _devices;

    /// @dev Changes of status after the enrollment, which itself takes no checkpoint.
    mapping(bytes32 deviceId => Checkpoints.Trace208 statuses) private _changes;

    mapping(bytes32 modelId => bytes32 head) private _recallHeads;

    /// @dev What protects needs no role of whoever answers for the device.
    modifier restrictedUnlessCustodian(bytes32 deviceId) {
        if (msg.sender != _devices[deviceId].custodian) _checkCanCall(msg.sender, msg.data);
        _;
    }

    constructor(address initialAuthority) AccessManaged(initialAuthority) {}

    /// @inheritdoc IDeviceRegistry
    function enroll(
        Key calldata key,
        bytes32 modelId,
        bytes32 serialCommitment,
        address custodian,
        bytes calldata proof
    ) external restricted returns (bytes32 deviceId) {
        if (modelId == bytes32(0)) revert DeviceModelMissing();
        if (serialCommitment == bytes32(0)) revert DeviceSerialMissing();
        if (custodian == address(0)) revert DeviceCustodianMissing();

        return _enroll(key, modelId, serialCommitment, custodian, bytes32(0), proof);
    }

    /// @inheritdoc IDeviceRegistry
    function suspend(bytes32 deviceId) external restrictedUnlessCustodian(deviceId) {
        Status status = statusOf(deviceId);
        if (status != Status.Active) revert DeviceNotActive(deviceId, status);

        _suspend(deviceId);
    }

    /// @inheritdoc IDeviceRegistry
    function resume(bytes32 deviceId) external restricted {
        Status status = statusOf(deviceId);
        if (status != Status.Suspended) revert DeviceNotSuspended(deviceId, status);

        _change(deviceId, Status.Active);

        emit DeviceResumed(deviceId);
    }

    /// @inheritdoc IDeviceRegistry
    function retire(bytes32 deviceId) external restrictedUnlessCustodian(deviceId) {
        _requireInService(deviceId);

        _retire(deviceId);
    }

    /// @inheritdoc IDeviceRegistry
    function rotate(
        bytes32 deviceId,
        Key calldata key,
        bytes calldata proof
    ) external restricted returns (bytes32 successorId) {
        Status status = _requireInService(deviceId);

        Device storage device = _devices[deviceId];
        successorId = _enroll(key, device.modelId, device.serialCommitment, device.custodian, deviceId, proof);
        if (status == Status.Suspended) _suspend(successorId);
        _retire(deviceId);

        emit DeviceRotated(deviceId, successorId);
    }

    /// @inheritdoc IDeviceRegistry
    function recall(bytes32 modelId, uint32 firmwareFrom, uint32 firmwareTo, uint48 anchoredFrom) external restricted {
        if (modelId == bytes32(0)) revert DeviceModelMissing();
        if (firmwareFrom > firmwareTo) revert RecallRangeEmpty(firmwareFrom, firmwareTo);
        if (anchoredFrom > block.timestamp) revert RecallInFuture(anchoredFrom);

        bytes memory notice = bytes.concat(bytes4(firmwareFrom), bytes4(firmwareTo), bytes6(anchoredFrom));
        bytes32 head = keccak256(bytes.concat(_recallHeads[modelId], notice));
        _recallHeads[modelId] = head;

        emit ModelRecalled(modelId, firmwareFrom, firmwareTo, anchoredFrom, head);
    }

    /// @inheritdoc IDeviceRegistry
    function offerCustody(bytes32 deviceId, address offeredTo) external {
        _requireInService(deviceId);
        Device storage device = _devices[deviceId];
        if (msg.sender != device.custodian) revert DeviceCustodyNotHeld(deviceId, msg.sender);

        device.offeredTo = offeredTo;

        emit CustodyOffered(deviceId, msg.sender, offeredTo);
    }

    /// @inheritdoc IDeviceRegistry
    function acceptCustody(bytes32 deviceId) external restricted {
        _requireInService(deviceId);
        Device storage device = _devices[deviceId];
        if (msg.sender != device.offeredTo) revert DeviceCustodyNotOffered(deviceId, msg.sender);

        address from = device.custodian;
        device.custodian = msg.sender;
        device.offeredTo = address(0);

        emit CustodyAccepted(deviceId, from, msg.sender);
    }

    /// @inheritdoc IDeviceRegistry
    function deviceOf(bytes32 deviceId) external view returns (Device memory) {
        return _devices[deviceId];
    }

    /// @inheritdoc IDeviceRegistry
    function verifyBatch(
        bytes32 deviceId,
        bytes32 digest,
        bytes calldata signature,
        uint48 anchoredAt
    ) external view returns (bool) {
        if (statusAt(deviceId, anchoredAt) != Status.Active) return false;
        return _devices[deviceId].key.hasSigned(digest, signature);
    }

    /// @inheritdoc IDeviceRegistry
    function recallHeadOf(bytes32 modelId) external view returns (bytes32) {
        return _recallHeads[modelId];
    }

    /// @inheritdoc IDeviceRegistry
    function deviceIdOf(Key calldata key) external pure returns (bytes32) {
        return key.idOf();
    }

    /// @inheritdoc IDeviceRegistry
    function enrollmentDigestOf(
        Key calldata key,
        bytes32 modelId,
        bytes32 serialCommitment,
        address custodian,
        bytes32 predecessorId
    ) external view returns (bytes32) {
        return _enrollmentDigest(key.idOf(), modelId, serialCommitment, custodian, predecessorId);
    }

    /// @inheritdoc IDeviceRegistry
    function statusOf(bytes32 deviceId) public view returns (Status) {
        if (_devices[deviceId].enrolledAt == 0) return Status.Unknown;
        return _statusAfter(_changes[deviceId].latest());
    }

    /// @inheritdoc IDeviceRegistry
    function statusAt(bytes32 deviceId, uint48 time) public view returns (Status) {
        uint48 enrolledAt = _devices[deviceId].enrolledAt;
        if (enrolledAt == 0 || time < enrolledAt || time > block.timestamp) return Status.Unknown;
        return _statusAfter(_changes[deviceId].upperLookupRecent(time));
    }

    function _enroll(
        Key calldata key,
        bytes32 modelId,
        bytes32 serialCommitment,
        address custodian,
        bytes32 predecessorId,
        bytes calldata proof
    ) private returns (bytes32 deviceId) {
        deviceId = key.idOf();
        if (_devices[deviceId].enrolledAt != 0) revert DeviceEnrolledAlready(deviceId);
        bytes32 digest = _enrollmentDigest(deviceId, modelId, serialCommitment, custodian, predecessorId);
        if (!key.hasSigned(digest, proof)) revert DeviceProofInvalid(deviceId);

        _devices[deviceId] = Device({
            key: key,
            modelId: modelId,
            serialCommitment: serialCommitment,
            custodian: custodian,
            enrolledAt: uint48(block.timestamp),
            offeredTo: address(0)
        });

        emit DeviceEnrolled(deviceId, modelId, custodian, key, serialCommitment);
    }

    function _suspend(bytes32 deviceId) private {
        _change(deviceId, Status.Suspended);

        emit DeviceSuspended(deviceId);
    }

    function _retire(bytes32 deviceId) private {
        _change(deviceId, Status.Retired);

        emit DeviceRetired(deviceId);
    }

    function _change(bytes32 deviceId, Status status) private {
        _changes[deviceId].push(uint48(block.timestamp), uint208(status));
    }

    /// @dev A checkpoint of zero is none: the device is as it was enrolled.
    function _statusAfter(uint208 change) private pure returns (Status) {
        return change == 0 ? Status.Active : Status(change);
    }

    function _requireInService(bytes32 deviceId) private view returns (Status status) {
        status = statusOf(deviceId);
        if (status != Status.Active && status != Status.Suspended) revert DeviceNotInService(deviceId, status);
    }

    /// @dev Bound to this registry and to all that is enrolled, so that a proof serves for one enrollment only.
    function _enrollmentDigest(
        bytes32 deviceId,
        bytes32 modelId,
        bytes32 serialCommitment,
        address custodian,
        bytes32 predecessorId
    ) private view returns (bytes32) {
        bytes memory place = bytes.concat("medseal/v1/enroll", bytes8(uint64(block.chainid)), bytes20(address(this)));
        bytes memory terms = bytes.concat(modelId, serialCommitment, bytes20(custodian), predecessorId);
        return sha256(bytes.concat(place, deviceId, terms));
    }
}
