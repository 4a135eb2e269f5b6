// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

/// @title Device registry: whose key signs for a device, and when it could be relied on
/// @notice A device is a P-256 key that proved it is held. Its status is kept by time, so that what was anchored while it was active
/// verifies for ever, also after it was suspended or retired. Nothing here names a patient: whose device it is says a sealed consent.
/// @dev A device id follows from the key, so a key belongs to one device and never changes: `rotate` ends one id and begins the next.
/// @dev `enroll`, `resume`, `rotate`, `recall` and `acceptCustody` need the role that the authority, an AccessManager, asks for them;
/// `suspend` and `retire` need it or custody.
/// @dev Warning: custody is public. It passes between organisations; a patient's address here would publish who wears what.
interface IDeviceRegistry is IAccessManaged {
    /// @notice What a device is at a time. Unknown: not enrolled, not enrolled yet, or the time has not come.
    enum Status {
        Unknown,
        Active,
        Suspended,
        Retired
    }

    /// @notice A P-256 public key: the affine coordinates of its point.
    struct Key {
        bytes32 x;
        bytes32 y;
    }

    /// @notice What is known of one device beside its status.
    /// @param key Its public key.
    /// @param modelId Opaque id of its model: keccak256 of a secret of the manufacturer's and the model.
    /// @param serialCommitment SHA-256("medseal/v1/serial" ‖ 32 random bytes ‖ serial number in UTF-8).
    /// @param custodian The organisation that answers for it.
    /// @param enrolledAt Block time of its enrollment.
    /// @param offeredTo To whom the custodian offers it; zero when to nobody. Without effect once it is retired.
    struct Device {
        Key key;
        bytes32 modelId;
        bytes32 serialCommitment;
        address custodian;
        uint48 enrolledAt;
        address offeredTo;
    }

    /// @notice Thrown when a key is enrolled that was enrolled before, retired or not.
    error DeviceEnrolledAlready(bytes32 deviceId);

    /// @notice Thrown when a device is enrolled without a model.
    error DeviceModelMissing();

    /// @notice Thrown when a device is enrolled without a commitment to its serial number.
    error DeviceSerialMissing();

    /// @notice Thrown when a device is enrolled without an organisation that answers for it.
    error DeviceCustodianMissing();

    /// @notice Thrown when the proof of possession is not this key's for this enrollment, this contract and this chain, has a high
    /// s, or the key is no point of the curve.
    error DeviceProofInvalid(bytes32 deviceId);

    /// @notice Thrown when a device is suspended that is not active.
    error DeviceNotActive(bytes32 deviceId, Status status);

    /// @notice Thrown when a device is resumed that is not suspended.
    error DeviceNotSuspended(bytes32 deviceId, Status status);

    /// @notice Thrown when a device is retired, rotated or handed on that is unknown or retired already.
    error DeviceNotInService(bytes32 deviceId, Status status);

    /// @notice Thrown when custody is offered by anybody but the custodian.
    error DeviceCustodyNotHeld(bytes32 deviceId, address caller);

    /// @notice Thrown when custody is accepted by anybody but the one to whom it was last offered.
    error DeviceCustodyNotOffered(bytes32 deviceId, address caller);

    /// @notice Thrown when a recall names a last firmware below the first.
    error RecallRangeEmpty(uint32 firmwareFrom, uint32 firmwareTo);

    /// @notice Thrown when a recall concerns only what is not anchored yet.
    error RecallInFuture(uint48 anchoredFrom);

    /// @notice A device is enrolled and active from this block.
    event DeviceEnrolled(
        bytes32 indexed deviceId,
        bytes32 indexed modelId,
        address indexed custodian,
        Key key,
        bytes32 serialCommitment
    );

    /// @notice A device is not to be relied on from this block until it is resumed.
    event DeviceSuspended(bytes32 indexed deviceId);

    /// @notice A suspended device is active again from this block.
    event DeviceResumed(bytes32 indexed deviceId);

    /// @notice A device has ended from this block for good.
    event DeviceRetired(bytes32 indexed deviceId);

    /// @notice A device goes on under another key, and so under another id.
    event DeviceRotated(bytes32 indexed deviceId, bytes32 indexed successorId);

    /// @notice Devices of a model with firmware `firmwareFrom` to `firmwareTo`, both included, are not to be trusted for what was
    /// anchored at `anchoredFrom` or later. The model's notices so far hash to `head`.
    event ModelRecalled(
        bytes32 indexed modelId,
        uint32 firmwareFrom,
        uint32 firmwareTo,
        uint48 anchoredFrom,
        bytes32 head
    );

    /// @notice The custodian offers a device to another organisation; to the zero address: to nobody any more.
    event CustodyOffered(bytes32 indexed deviceId, address indexed custodian, address indexed offeredTo);

    /// @notice Another organisation answers for a device from this block.
    event CustodyAccepted(bytes32 indexed deviceId, address indexed from, address indexed custodian);

    /// @notice Enrolls a device, active from this block.
    /// @dev Warning: that the commitment is to this device's serial number, and the model its own, is the caller's word. Serial
    /// numbers are salted, so one of them enrolled under two keys cannot be told here.
    /// @param key The device's public key.
    /// @param modelId Opaque id of its model, not zero.
    /// @param serialCommitment Salted commitment to its serial number, not zero.
    /// @param custodian The organisation that answers for it.
    /// @param proof The device's signature `r ‖ s`, 64 bytes with low s, over `enrollmentDigestOf` these with a predecessor of zero.
    function enroll(
        Key calldata key,
        bytes32 modelId,
        bytes32 serialCommitment,
        address custodian,
        bytes calldata proof
    ) external returns (bytes32 deviceId);

    /// @notice Ends reliance on an active device from this block; its custodian may do so, too.
    /// @dev Warning: never reaches back. What a thief had anchored before verifies; look at the times and counters of such batches.
    function suspend(bytes32 deviceId) external;

    /// @notice Makes a suspended device active again from this block.
    function resume(bytes32 deviceId) external;

    /// @notice Ends a device from this block for good; its custodian may do so, too.
    /// @dev Warning: what it has signed counts only if anchored before. Retire it after its last batch is anchored.
    function retire(bytes32 deviceId) external;

    /// @notice Retires a device's key and enrolls another for the same device: same model, serial number and custodian.
    /// @dev The successor of a suspended device is suspended. An open offer of custody lapses.
    /// @param proof The new key's signature over `enrollmentDigestOf` what the device has, with `deviceId` as the predecessor.
    function rotate(bytes32 deviceId, Key calldata key, bytes calldata proof) external returns (bytes32 successorId);

    /// @notice Gives public notice that devices of a model with some firmware are not to be trusted. Changes no device's status.
    /// @dev Whoever verifies a batch compares the firmware in the device's signed statement.
    /// @dev Warning: whether any device of this model is enrolled is not checked.
    /// @param firmwareFrom First firmware concerned.
    /// @param firmwareTo Last firmware concerned, itself included.
    /// @param anchoredFrom First block time of the anchors concerned, at most now; zero for all.
    function recall(bytes32 modelId, uint32 firmwareFrom, uint32 firmwareTo, uint48 anchoredFrom) external;

    /// @notice Offers custody of the caller's device to an organisation, in place of any earlier offer; to zero withdraws it.
    function offerCustody(bytes32 deviceId, address offeredTo) external;

    /// @notice Takes custody that was offered to the caller.
    function acceptCustody(bytes32 deviceId) external;

    /// @notice Everything about a device but its status; all zero when it is not enrolled.
    /// @dev Warning: asking a remote node for a device tells its operator which one matters. Sync the events instead.
    function deviceOf(bytes32 deviceId) external view returns (Device memory);

    /// @notice What a device is now.
    function statusOf(bytes32 deviceId) external view returns (Status);

    /// @notice What a device was at a block time. Of several changes in one block the last counts.
    /// @dev The answer for the time of an earlier block never changes any more.
    function statusAt(bytes32 deviceId, uint48 time) external view returns (Status);

    /// @notice Whether a device signed a digest that was anchored while it was active.
    /// @dev Uses the P-256 precompile (EIP-7951) where the chain has it, Solidity elsewhere: the answer is the same.
    /// @dev Says nothing of recalls. `digest` and `anchoredAt` are the caller's word: recompute the digest from the device's
    /// statement, and take the block time from the anchor, not the device's clock.
    /// @dev Warning: the arguments tie a batch to a device. Over a remote RPC they are disclosed to its operator, in a transaction to
    /// everybody for ever. Call it in an in-process EVM with the code from the chain.
    /// @param digest SHA-256 digest of the device's statement.
    /// @param signature `r ‖ s`, 64 bytes with s in the lower half of the order; anything else is not valid.
    /// @param anchoredAt Block time of the anchor of the batch.
    function verifyBatch(
        bytes32 deviceId,
        bytes32 digest,
        bytes calldata signature,
        uint48 anchoredAt
    ) external view returns (bool);

    /// @notice Hash of a model's recalls in their order; zero when there is none. A node that leaves out a notice cannot give events
    /// that lead here.
    /// @dev `head' = keccak256(head ‖ firmwareFrom ‖ firmwareTo ‖ anchoredFrom)` over 32 + 4 + 4 + 6 bytes, big-endian.
    function recallHeadOf(bytes32 modelId) external view returns (bytes32);

    /// @notice The id of the device that has this key: SHA-256("medseal/v1/device" ‖ 0x04 ‖ x ‖ y).
    function deviceIdOf(Key calldata key) external pure returns (bytes32);

    /// @notice What a device signs to show that it holds its key.
    /// @dev SHA-256("medseal/v1/enroll" ‖ chain id u64 ‖ this contract, 20 bytes ‖ device id ‖ modelId ‖ serialCommitment ‖ custodian,
    /// 20 bytes ‖ predecessorId).
    /// @param predecessorId The device that it takes over from by `rotate`; zero for `enroll`.
    function enrollmentDigestOf(
        Key calldata key,
        bytes32 modelId,
        bytes32 serialCommitment,
        address custodian,
        bytes32 predecessorId
    ) external view returns (bytes32);
}
