// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IDeviceRegistry} from "../../contracts/interfaces/IDeviceRegistry.sol";
import {DeviceWorld} from "./DeviceWorld.sol";
import {Draw, vm} from "./Vm.sol";

contract DeviceRegistryTest is DeviceWorld {
    using Draw for Draw.Source;

    /// @dev One change of a device's status, as the tests keep it.
    struct Change {
        uint48 time;
        IDeviceRegistry.Status status;
    }

    uint256 private constant SECRET = 0xD0;
    bytes32 private constant MODEL = bytes32(uint256(0x0E));
    bytes32 private constant SERIAL = bytes32(uint256(0x5E));

    function setUp() external {
        _found();
    }

    /// @dev A random life with changes at random times, several in one block too; then every time round each change is asked for.
    function testFuzz_statusAt_isTheLastChangeUpToThen(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        bytes32 id = _enroll(SECRET);
        Change[] memory changes = new Change[](source.between(1, 20));
        changes[0] = Change(START, IDeviceRegistry.Status.Active);
        for (uint256 i = 1; i < changes.length; i++) {
            uint48 time = changes[i - 1].time + uint48(source.between(0, 2));
            changes[i] = Change(time, _next(id, changes[i - 1].status, time, source.between(0, 9) == 0));
        }
        vm.warp(changes[changes.length - 1].time + 5);

        bytes32 digest = source.word();
        bytes memory signature = _sign(SECRET, digest);
        for (uint48 time = START - 2; time <= block.timestamp + 2; time++) {
            IDeviceRegistry.Status expected = _statusAt(changes, time);
            require(_registry.statusAt(id, time) == expected, "statusAt");
            bool verified = _registry.verifyBatch(id, digest, signature, time);
            require(verified == (expected == IDeviceRegistry.Status.Active), "verifyBatch");
        }
        require(_registry.statusOf(id) == changes[changes.length - 1].status, "statusOf");
    }

    function testFuzz_verifyBatch_onlyWhatTheDeviceSigned(uint256 secret, bytes32 digest, uint256 bit) external {
        secret = _secret(secret);
        bytes32 id = _enroll(secret);
        bytes memory signature = _sign(secret, digest);
        require(_registry.verifyBatch(id, digest, signature, START), "refused");
        require(!_registry.verifyBatch(id, digest, _highS(signature), START), "high s");

        bytes32 other = digest ^ bytes32(1 << (bit % 256));
        require(!_registry.verifyBatch(id, other, signature, START), "another digest");
        signature[bit % 64] ^= bytes1(uint8(1 << ((bit >> 8) % 8)));
        require(!_registry.verifyBatch(id, digest, signature, START), "another signature");
    }

    function testFuzz_verifyBatch_onlyOf64Bytes(bytes32 digest, bytes calldata tail, uint256 length) external {
        bytes32 id = _enroll(SECRET);
        bytes memory signature = _sign(SECRET, digest);
        vm.assume(tail.length > 0);
        require(!_registry.verifyBatch(id, digest, bytes.concat(signature, tail), START), "longer");
        bytes memory shorter = new bytes(length % 64);
        for (uint256 i = 0; i < shorter.length; i++) shorter[i] = signature[i];
        require(!_registry.verifyBatch(id, digest, shorter, START), "shorter");
    }

    /// @dev Bytes of no meaning are refused and never an error, whatever the device.
    function testFuzz_verifyBatch_neverReverts(bytes32 id, bytes32 digest, bytes calldata junk, uint48 time) external {
        bytes32 enrolled = _enroll(SECRET);
        require(!_registry.verifyBatch(id, digest, junk, time), "accepted");
        require(!_registry.verifyBatch(enrolled, digest, junk, START), "accepted of a device");
    }

    function testFuzz_enroll_bindsEveryPart(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        uint256 secret = _secret(uint256(source.word()));
        (bytes32 model, bytes32 serial) = (source.word(), source.word());
        address custodian = address(bytes20(source.word()));
        bytes memory proof = _proof(secret, model, serial, custodian, bytes32(0));
        uint256 what = source.between(0, 4);
        bytes32 bit = bytes32(uint256(1) << source.between(0, 159));
        if (what == 0) model ^= bit;
        if (what == 1) serial ^= bit;
        if (what == 2) custodian = address(uint160(custodian) ^ uint160(uint256(bit)));
        if (what == 3) proof = _proof(secret, model, serial, custodian, bit);
        if (what == 4) vm.chainId(block.chainid + 1);

        IDeviceRegistry.Key memory key = _keyOf(secret);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceProofInvalid.selector, _idOf(secret)));
        vm.prank(REGISTRAR);
        _registry.enroll(key, model, serial, custodian, proof);
    }

    function testFuzz_enroll_onlyPointsOfTheCurve(bytes32 x, bytes32 y, bytes32 r, bytes32 s) external {
        IDeviceRegistry.Key memory key = IDeviceRegistry.Key({x: x, y: y});
        bytes32 id = _registry.deviceIdOf(key);
        require(id == sha256(abi.encodePacked("medseal/v1/device", uint8(4), x, y)), "id");
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceProofInvalid.selector, id));
        vm.prank(REGISTRAR);
        _registry.enroll(key, MODEL, SERIAL, HOSPITAL, abi.encodePacked(r, s));
    }

    /// @dev Clients may read these slots with a proof.
    function testFuzz_layout_isPinned(uint256 secret, address custodian, address offeredTo, uint32 delay) external {
        vm.assume(custodian != address(0));
        secret = _secret(secret);
        bytes32 id = _idOf(secret);
        bytes memory proof = _proof(secret, MODEL, SERIAL, custodian, bytes32(0));
        vm.prank(REGISTRAR);
        _registry.enroll(_keyOf(secret), MODEL, SERIAL, custodian, proof);
        vm.prank(custodian);
        _registry.offerCustody(id, offeredTo);
        vm.warp(START + uint48(delay) + 1);
        vm.prank(SAFETY);
        _registry.suspend(id);

        IDeviceRegistry.Key memory key = _keyOf(secret);
        uint256 device = uint256(keccak256(abi.encode(id, uint256(1))));
        require(_slot(device) == uint256(key.x) && _slot(device + 1) == uint256(key.y), "key");
        require(_slot(device + 2) == uint256(MODEL) && _slot(device + 3) == uint256(SERIAL), "model, serial");
        require(_slot(device + 4) == uint256(uint160(custodian)) | (uint256(START) << 160), "custodian, enrolledAt");
        require(_slot(device + 5) == uint256(uint160(offeredTo)), "offeredTo");
        uint256 changes = uint256(keccak256(abi.encode(id, uint256(2))));
        require(_slot(changes) == 1, "number of changes");
        uint256 first = uint256(keccak256(abi.encode(changes)));
        require(_slot(first) == (START + uint256(delay) + 1) | (uint256(2) << 48), "first change");
    }

    function testFuzz_recallHead_bindsEveryNotice(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        bytes32 head = bytes32(0);
        for (uint256 i = source.between(1, 5); i > 0; i--) {
            uint32 from = uint32(source.between(0, type(uint32).max));
            uint32 to = uint32(source.between(from, type(uint32).max));
            uint48 time = uint48(source.between(0, START));
            head = keccak256(abi.encodePacked(head, from, to, time));
            vm.expectEmit(true, true, true, true, address(_registry));
            emit IDeviceRegistry.ModelRecalled(MODEL, from, to, time, head);
            vm.prank(SAFETY);
            _registry.recall(MODEL, from, to, time);
        }
        require(_registry.recallHeadOf(MODEL) == head, "head");
        require(vm.load(address(_registry), keccak256(abi.encode(MODEL, uint256(3)))) == head, "slot");
    }

    function _enroll(uint256 secret) private returns (bytes32) {
        bytes memory proof = _proof(secret, MODEL, SERIAL, HOSPITAL, bytes32(0));
        IDeviceRegistry.Key memory key = _keyOf(secret);
        vm.prank(REGISTRAR);
        return _registry.enroll(key, MODEL, SERIAL, HOSPITAL, proof);
    }

    /// @dev Makes the one change that the status allows, or the last one.
    function _next(
        bytes32 id,
        IDeviceRegistry.Status status,
        uint48 time,
        bool retire
    ) private returns (IDeviceRegistry.Status) {
        vm.warp(time);
        if (status == IDeviceRegistry.Status.Retired) return status;
        vm.prank(retire || status == IDeviceRegistry.Status.Active ? SAFETY : REGISTRAR);
        if (retire) _registry.retire(id);
        else if (status == IDeviceRegistry.Status.Active) _registry.suspend(id);
        else _registry.resume(id);
        if (retire) return IDeviceRegistry.Status.Retired;
        bool wasActive = status == IDeviceRegistry.Status.Active;
        return wasActive ? IDeviceRegistry.Status.Suspended : IDeviceRegistry.Status.Active;
    }

    function _statusAt(Change[] memory changes, uint48 time) private view returns (IDeviceRegistry.Status status) {
        if (time > block.timestamp) return IDeviceRegistry.Status.Unknown;
        for (uint256 i = 0; i < changes.length && changes[i].time <= time; i++) status = changes[i].status;
    }

    function _slot(uint256 slot) private view returns (uint256) {
        return uint256(vm.load(address(_registry), bytes32(slot)));
    }

    /// @dev A secret key in range.
    function _secret(uint256 drawn) private pure returns (uint256) {
        return 1 + (drawn >> 1);
    }
}
