// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IDeviceRegistry} from "../../contracts/interfaces/IDeviceRegistry.sol";
import {DeviceActors} from "./DeviceActors.sol";
import {vm} from "./Vm.sol";

/// @dev The sentences are in test/invariants/README.md.
contract DeviceInvariantsTest {
    DeviceActors private _actors;
    IDeviceRegistry private _registry;

    function setUp() external {
        _actors = new DeviceActors();
        _registry = _actors.registry();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actors);
    }

    function invariant_D1_identityNeverChanges() external view {
        for (uint256 i = 0; i < _actors.DEVICES(); i++) {
            DeviceActors.Life memory life = _actors.lifeOf(i);
            if (life.times.length == 0) continue;
            bytes32 id = _actors.idOf(i);
            IDeviceRegistry.Device memory device = _registry.deviceOf(id);
            IDeviceRegistry.Key memory key = _actors.keyOf(i);
            require(device.key.x == key.x && device.key.y == key.y, "key");
            require(device.modelId == life.modelId && device.serialCommitment == life.serial, "model, serial");
            require(device.enrolledAt == life.times[0], "enrolledAt");
            require(_registry.deviceIdOf(device.key) == id, "id");
        }
    }

    function invariant_D2_noneWithoutProof() external view {
        for (uint256 i = 0; i < _actors.DEVICES(); i++) {
            bool enrolled = _registry.deviceOf(_actors.idOf(i)).enrolledAt != 0;
            require(enrolled == (_actors.lifeOf(i).times.length > 0), "enrolled");
        }
    }

    function invariant_D3_onlyWhoMay() external view {
        require(_actors.surprises() == 0, "a call ended otherwise than it should");
    }

    function invariant_D4_endedStaysEnded() external {
        vm.warp(_actors.time());
        for (uint256 i = 0; i < _actors.DEVICES(); i++) {
            DeviceActors.Life memory life = _actors.lifeOf(i);
            uint256 last = life.times.length;
            if (last == 0 || life.statuses[--last] != IDeviceRegistry.Status.Retired) continue;
            for (uint48 time = life.times[last]; time <= block.timestamp; time += 1 + (_actors.time() - time) / 4) {
                require(_registry.statusAt(_actors.idOf(i), time) == IDeviceRegistry.Status.Retired, "not retired");
            }
            require(_registry.statusOf(_actors.idOf(i)) == IDeviceRegistry.Status.Retired, "back in service");
        }
    }

    function invariant_D5_pastStays() external {
        vm.warp(_actors.time());
        for (uint256 i = 0; i < _actors.rememberedCount(); i++) {
            (bytes32 id, uint48 time, IDeviceRegistry.Status status) = _actors.remembered(i);
            require(_registry.statusAt(id, time) == status, "the past has changed");
        }
    }

    function invariant_D6_custodyByAcceptanceOnly() external view {
        for (uint256 i = 0; i < _actors.DEVICES(); i++) {
            DeviceActors.Life memory life = _actors.lifeOf(i);
            IDeviceRegistry.Device memory device = _registry.deviceOf(_actors.idOf(i));
            require(device.custodian == life.custodian && device.offeredTo == life.offeredTo, "custody");
            require((device.custodian != address(0)) == (device.enrolledAt != 0), "nobody's");
        }
    }

    function invariant_D7_verifiesWhileActiveOnly() external {
        vm.warp(_actors.time());
        for (uint256 i = 0; i < _actors.DEVICES(); i++) {
            bytes32 id = _actors.idOf(i);
            bytes32 digest = keccak256(abi.encode(i, block.timestamp));
            bytes memory signature = _actors.sign(i, digest);
            bytes memory others = _actors.sign((i + 1) % _actors.DEVICES(), digest);
            for (uint256 ago = 0; ago < 5; ago++) {
                uint48 time = uint48(block.timestamp + 1 - ago * ago);
                bool active = _statusAt(_actors.lifeOf(i), time) == IDeviceRegistry.Status.Active;
                require(_registry.verifyBatch(id, digest, signature, time) == active, "verifyBatch");
                require(!_registry.verifyBatch(id, digest, others, time), "another device's");
            }
        }
    }

    function invariant_D8_rotationWidensNothing() external view {
        require(_actors.widened() == 0, "another status");
        for (uint256 i = 0; i < _actors.DEVICES(); i++) {
            DeviceActors.Life memory life = _actors.lifeOf(i);
            if (life.successors == 0) continue;
            require(life.successors == 1, "two successors");
            IDeviceRegistry.Device memory successor = _registry.deviceOf(life.successorId);
            require(successor.modelId == life.modelId && successor.serialCommitment == life.serial, "another device");
            require(_registry.statusOf(_actors.idOf(i)) == IDeviceRegistry.Status.Retired, "predecessor in service");
        }
    }

    function invariant_D9_recallHeads() external view {
        for (uint256 i = 0; i < _actors.MODELS(); i++) {
            bytes32 modelId = _actors.modelOf(i);
            require(_registry.recallHeadOf(modelId) == _actors.heads(modelId), "head");
        }
    }

    function _statusAt(
        DeviceActors.Life memory life,
        uint48 time
    ) private view returns (IDeviceRegistry.Status status) {
        if (time > block.timestamp) return IDeviceRegistry.Status.Unknown;
        for (uint256 i = 0; i < life.times.length && life.times[i] <= time; i++) status = life.statuses[i];
    }
}
