// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {DeviceRegistry} from "../../contracts/DeviceRegistry.sol";
import {IDeviceRegistry} from "../../contracts/interfaces/IDeviceRegistry.sol";
import {vm} from "./Vm.sol";

/// @dev A registry under an authority whose roles are held by one account each, and devices whose secret keys are known.
abstract contract DeviceWorld {
    address internal constant REGISTRAR = address(0xA1);
    address internal constant SAFETY = address(0xA2);
    address internal constant HOSPITAL = address(0xB1);
    address internal constant CLINIC = address(0xB2);
    address internal constant MAKER = address(0xB3);
    address internal constant STRANGER = address(0xC1);
    uint48 internal constant START = 1_800_000_000;

    AccessManager internal _authority;
    DeviceRegistry internal _registry;
    /// @dev One that was accepted before.
    bytes internal _usedProof;
    mapping(uint256 secret => IDeviceRegistry.Key key) private _keys;

    function _found() internal {
        vm.warp(START);
        _authority = new AccessManager(address(this));
        _registry = new DeviceRegistry(address(_authority));
        _permit(1, REGISTRAR, IDeviceRegistry.enroll.selector);
        _permit(1, REGISTRAR, IDeviceRegistry.resume.selector);
        _permit(1, REGISTRAR, IDeviceRegistry.rotate.selector);
        _permit(2, SAFETY, IDeviceRegistry.suspend.selector);
        _permit(2, SAFETY, IDeviceRegistry.retire.selector);
        _permit(2, SAFETY, IDeviceRegistry.recall.selector);
        _permit(3, HOSPITAL, IDeviceRegistry.acceptCustody.selector);
        _authority.grantRole(3, CLINIC, 0);
        _authority.grantRole(3, MAKER, 0);
    }

    /// @dev Works a key out once: that takes longer than all else that a test does.
    function _know(uint256 secret) internal {
        _keys[secret] = _keyOf(secret);
    }

    function _keyOf(uint256 secret) internal view returns (IDeviceRegistry.Key memory) {
        IDeviceRegistry.Key memory known = _keys[secret];
        if (known.x != bytes32(0)) return known;
        (uint256 x, uint256 y) = vm.publicKeyP256(secret);
        return IDeviceRegistry.Key({x: bytes32(x), y: bytes32(y)});
    }

    /// @dev Apart from the contract's own function.
    function _idOf(uint256 secret) internal view returns (bytes32) {
        IDeviceRegistry.Key memory key = _keyOf(secret);
        return sha256(abi.encodePacked("medseal/v1/device", uint8(4), key.x, key.y));
    }

    function _sign(uint256 secret, bytes32 digest) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = vm.signP256(secret, digest);
        if (uint256(s) > P256.N / 2) s = bytes32(P256.N - uint256(s));
        return abi.encodePacked(r, s);
    }

    /// @dev The other half of all signatures.
    function _highS(bytes memory signature) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        return abi.encodePacked(r, P256.N - uint256(s));
    }

    function _digest(
        uint256 secret,
        bytes32 modelId,
        bytes32 serial,
        address custodian,
        bytes32 predecessorId
    ) internal view returns (bytes32) {
        bytes memory place = abi.encodePacked("medseal/v1/enroll", uint64(block.chainid), address(_registry));
        return sha256(abi.encodePacked(place, _idOf(secret), modelId, serial, custodian, predecessorId));
    }

    function _proof(
        uint256 secret,
        bytes32 modelId,
        bytes32 serial,
        address custodian,
        bytes32 predecessorId
    ) internal view returns (bytes memory) {
        return _sign(secret, _digest(secret, modelId, serial, custodian, predecessorId));
    }

    function _isRight(uint256 wrong) internal pure returns (bool) {
        return wrong % 12 > 5;
    }

    /// @dev The right proof, or a wrong one of six kinds.
    function _proofWith(
        uint256 secret,
        bytes32 modelId,
        bytes32 serial,
        address custodian,
        bytes32 predecessorId,
        uint256 wrong
    ) internal view returns (bytes memory) {
        uint256 what = wrong % 12;
        if (what == 0) return _proof(secret + 1, modelId, serial, custodian, predecessorId);
        if (what == 1) return _usedProof;
        if (what == 2) return _proof(secret, modelId, serial, STRANGER, predecessorId);
        if (what == 3) return _proof(secret, modelId, serial, custodian, predecessorId ^ bytes32(uint256(1)));
        if (what == 4) return _proof(secret, modelId, bytes32(0), custodian, predecessorId);
        bytes memory proof = _proof(secret, modelId, serial, custodian, predecessorId);
        return what == 5 ? _highS(proof) : proof;
    }

    function _permit(uint64 role, address member, bytes4 selector) private {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        _authority.setTargetFunctionRole(address(_registry), selectors, role);
        _authority.grantRole(role, member, 0);
    }
}
