// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IDeviceRegistry} from "../../contracts/interfaces/IDeviceRegistry.sol";
import {DeviceWorld} from "./DeviceWorld.sol";
import {vm} from "./Vm.sol";

/// @dev Calls everything in any order, with right and with wrong arguments, as everybody, and keeps beside the registry what should
/// have come of it: a model with loops and lists instead of checkpoints.
contract DeviceActors is DeviceWorld {
    /// @dev What should be known of one device; the first change is its enrollment.
    struct Life {
        bytes32 modelId;
        bytes32 serial;
        address custodian;
        address offeredTo;
        uint48[] times;
        IDeviceRegistry.Status[] statuses;
        uint256 successors;
        bytes32 successorId;
    }

    /// @dev An answer about the past.
    struct Memory {
        bytes32 deviceId;
        uint48 time;
        IDeviceRegistry.Status status;
    }

    uint256 public constant DEVICES = 8;
    uint256 public constant MODELS = 2;
    uint256 private constant REMEMBERED = 16;

    uint48 public time = START;
    /// @dev Calls that succeeded and should not have, or the other way round.
    uint256 public surprises;
    /// @dev Rotations whose successor began in another status than its predecessor had.
    uint256 public widened;
    Memory[] public remembered;
    mapping(bytes32 modelId => bytes32 head) public heads;

    mapping(uint256 device => Life life) private _lives;
    address[7] private _actors = [REGISTRAR, SAFETY, HOSPITAL, CLINIC, MAKER, STRANGER, address(this)];
    uint256 private _lastOffered;

    constructor() {
        _found();
        for (uint256 i = 0; i <= DEVICES; i++) _know(_secretOf(i));
    }

    /// @dev Time passes by 0, 1 or 2 seconds between calls, so that some share a block.
    modifier later(uint256 seed) {
        vm.warp(time += uint48(seed % 3));
        _;
    }

    function enroll(uint256 seed, uint256 device, uint256 wrong) external later(seed) {
        device = _aim(device, false);
        (bytes32 modelId, bytes32 serial) = (_modelOf(seed), keccak256(abi.encode(seed)));
        address custodian = _actors[2 + (seed % 3)];
        bytes memory proof = _proofWith(_secretOf(device), modelId, serial, custodian, bytes32(0), wrong);
        address by = _either(seed, REGISTRAR, device);
        bool allowed = by == REGISTRAR && _isRight(wrong) && _statusOf(device) == IDeviceRegistry.Status.Unknown;
        bytes memory call = abi.encodeCall(
            IDeviceRegistry.enroll,
            (_keyOf(_secretOf(device)), modelId, serial, custodian, proof)
        );
        if (!_tried(by, call, allowed)) return;
        _begin(device, modelId, serial, custodian);
        _usedProof = proof;
    }

    function suspend(uint256 seed, uint256 device) external later(seed) {
        device = _aim(device, true);
        address by = _either(seed, SAFETY, device);
        bool allowed = _protects(by, device) && _statusOf(device) == IDeviceRegistry.Status.Active;
        bytes memory call = abi.encodeCall(IDeviceRegistry.suspend, (idOf(device)));
        if (_tried(by, call, allowed)) _change(device, IDeviceRegistry.Status.Suspended);
    }

    function resume(uint256 seed, uint256 device) external later(seed) {
        device = _aim(device, true);
        address by = _either(seed, REGISTRAR, device);
        bool allowed = by == REGISTRAR && _statusOf(device) == IDeviceRegistry.Status.Suspended;
        bytes memory call = abi.encodeCall(IDeviceRegistry.resume, (idOf(device)));
        if (_tried(by, call, allowed)) _change(device, IDeviceRegistry.Status.Active);
    }

    /// @dev Seldom, so that lives are long.
    function retire(uint256 seed, uint256 device) external later(seed) {
        if (uint256(keccak256(abi.encode(seed))) % 3 != 0) return;
        device = _aim(device, true);
        address by = _either(seed, SAFETY, device);
        bool allowed = _protects(by, device) && _isInService(device);
        bytes memory call = abi.encodeCall(IDeviceRegistry.retire, (idOf(device)));
        if (_tried(by, call, allowed)) _change(device, IDeviceRegistry.Status.Retired);
    }

    function rotate(uint256 seed, uint256 device, uint256 next, uint256 wrong) external later(seed) {
        (device, next) = (_aim(device, true), _aim(next, false));
        Life storage life = _lives[device];
        bytes memory proof = _proofWith(
            _secretOf(next),
            life.modelId,
            life.serial,
            life.custodian,
            idOf(device),
            wrong
        );
        address by = _either(seed, REGISTRAR, device);
        IDeviceRegistry.Status status = _statusOf(device);
        bool isNew = _statusOf(next) == IDeviceRegistry.Status.Unknown;
        bool allowed = by == REGISTRAR && _isRight(wrong) && _isInService(device) && isNew;
        bytes memory call = abi.encodeCall(IDeviceRegistry.rotate, (idOf(device), _keyOf(_secretOf(next)), proof));
        if (!_tried(by, call, allowed)) return;
        _begin(next, life.modelId, life.serial, life.custodian);
        if (status == IDeviceRegistry.Status.Suspended) _change(next, status);
        _change(device, IDeviceRegistry.Status.Retired);
        life.successors++;
        life.successorId = idOf(next);
        if (_registry.statusOf(life.successorId) != status) widened++;
    }

    function recall(uint256 seed, uint32 from, uint32 to, uint48 since) external later(seed) {
        bytes32 modelId = _modelOf(seed);
        if (seed % 2 == 0) since %= time + 1;
        address by = _either(seed, SAFETY, 0);
        bool allowed = by == SAFETY && from <= to && since <= time;
        bytes memory call = abi.encodeCall(IDeviceRegistry.recall, (modelId, from, to, since));
        if (_tried(by, call, allowed)) heads[modelId] = keccak256(abi.encodePacked(heads[modelId], from, to, since));
    }

    function offerCustody(uint256 seed, uint256 device, uint256 to) external later(seed) {
        device = _aim(device, true);
        address by = _either(seed, _lives[device].custodian, device);
        address offeredTo = to % 8 == 7 ? address(0) : _actors[(to % 8) % 7];
        bool allowed = by == _lives[device].custodian && _isInService(device);
        bytes memory call = abi.encodeCall(IDeviceRegistry.offerCustody, (idOf(device), offeredTo));
        if (_tried(by, call, allowed)) (_lives[device].offeredTo, _lastOffered) = (offeredTo, device);
    }

    function acceptCustody(uint256 seed, uint256 device) external later(seed) {
        device = seed % 3 == 0 ? device % DEVICES : _lastOffered;
        Life storage life = _lives[device];
        address by = _either(seed, life.offeredTo, device);
        bool isOrganisation = by == HOSPITAL || by == CLINIC || by == MAKER;
        bool allowed = isOrganisation && by == life.offeredTo && _isInService(device);
        bytes memory call = abi.encodeCall(IDeviceRegistry.acceptCustody, (idOf(device)));
        if (_tried(by, call, allowed)) (life.custodian, life.offeredTo) = (by, address(0));
    }

    /// @dev Asks about a time that has gone by, and keeps the answer.
    function look(uint256 seed, uint256 device, uint48 ago) external later(seed) {
        bytes32 id = idOf(device % DEVICES);
        uint48 past = time - 1 - (ago % 64);
        Memory memory seen = Memory(id, past, _registry.statusAt(id, past));
        if (remembered.length < REMEMBERED) remembered.push(seen);
        else remembered[seed % REMEMBERED] = seen;
    }

    function registry() external view returns (IDeviceRegistry) {
        return _registry;
    }

    function lifeOf(uint256 device) external view returns (Life memory) {
        return _lives[device];
    }

    function rememberedCount() external view returns (uint256) {
        return remembered.length;
    }

    function sign(uint256 device, bytes32 digest) external pure returns (bytes memory) {
        return _sign(_secretOf(device), digest);
    }

    function keyOf(uint256 device) external view returns (IDeviceRegistry.Key memory) {
        return _keyOf(_secretOf(device));
    }

    function modelOf(uint256 model) external pure returns (bytes32) {
        return _modelOf(model);
    }

    function idOf(uint256 device) public view returns (bytes32) {
        return _idOf(_secretOf(device));
    }

    function _tried(address by, bytes memory call, bool allowed) private returns (bool done) {
        vm.prank(by);
        (done, ) = address(_registry).call(call);
        if (done != allowed) surprises++;
    }

    function _begin(uint256 device, bytes32 modelId, bytes32 serial, address custodian) private {
        Life storage life = _lives[device];
        (life.modelId, life.serial, life.custodian) = (modelId, serial, custodian);
        _change(device, IDeviceRegistry.Status.Active);
    }

    function _change(uint256 device, IDeviceRegistry.Status status) private {
        _lives[device].times.push(time);
        _lives[device].statuses.push(status);
    }

    /// @dev Half of the callers are the right one; of the others half the custodian, half anybody.
    function _either(uint256 seed, address right, uint256 device) private view returns (address) {
        if (seed % 2 == 0) return right;
        return seed % 4 == 1 ? _lives[device].custodian : _actors[(seed >> 2) % 7];
    }

    /// @dev Mostly the next device that is in service, or the next key that is free: luck alone seldom finds one.
    function _aim(uint256 drawn, bool inService) private view returns (uint256 device) {
        device = drawn % DEVICES;
        if (uint256(keccak256(abi.encode(drawn))) % 4 == 0) return device;
        for (uint256 i = 0; i < DEVICES; i++) {
            bool fits = inService ? _isInService(device) : _statusOf(device) == IDeviceRegistry.Status.Unknown;
            if (fits) return device;
            device = (device + 1) % DEVICES;
        }
    }

    function _protects(address by, uint256 device) private view returns (bool) {
        return by == SAFETY || by == _lives[device].custodian;
    }

    function _isInService(uint256 device) private view returns (bool) {
        IDeviceRegistry.Status status = _statusOf(device);
        return status == IDeviceRegistry.Status.Active || status == IDeviceRegistry.Status.Suspended;
    }

    function _statusOf(uint256 device) private view returns (IDeviceRegistry.Status) {
        IDeviceRegistry.Status[] storage statuses = _lives[device].statuses;
        return statuses.length == 0 ? IDeviceRegistry.Status.Unknown : statuses[statuses.length - 1];
    }

    function _secretOf(uint256 device) private pure returns (uint256) {
        return 0xD0 + device;
    }

    function _modelOf(uint256 seed) private pure returns (bytes32) {
        return bytes32(0x0E00 + (seed % MODELS));
    }
}
