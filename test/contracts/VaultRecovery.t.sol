// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {VaultRecovery} from "../../contracts/VaultRecovery.sol";
import {IVaultRecovery} from "../../contracts/interfaces/IVaultRecovery.sol";
import {Draw, vm} from "./Vm.sol";

/// @dev Invariants R1 to R3 of test/invariants/parties-and-emergencies.md.
contract VaultRecoveryTest {
    using Draw for Draw.Source;

    struct Said {
        uint48 declaredAt;
        uint48 vetoedAt;
    }

    uint256 private constant KEYS = 3;
    uint256 private constant IDS = 2;
    uint48 private constant START = 1_800_000_000;
    uint256 private constant STEPS = 40;

    VaultRecovery private _recovery;
    mapping(address patient => mapping(bytes32 id => Said said)) private _said;

    function setUp() external {
        _recovery = new VaultRecovery();
        vm.warp(START);
    }

    function testFuzz_isOpen_exactlyInItsTime(uint32 after_) external {
        address patient = vm.addr(1);
        _recovery.declareRecovery(patient, "id");
        vm.warp(uint256(START) + after_);
        require(_recovery.isRecoveryOpen(patient, "id") == (after_ >= 7 days && after_ < 21 days), "term");
    }

    /// @dev On a chain whose clock begins at zero, what was never declared is not taken for declared at zero.
    function test_isOpen_neverWithoutADeclaration() external {
        vm.warp(8 days);
        require(!_recovery.isRecoveryOpen(vm.addr(1), "id"), "open");
    }

    function testFuzz_hostile_sequences(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        uint48[6] memory waits = [uint48(0), 1, 7 days - 1, 7 days, 14 days - 1, 14 days];
        for (uint256 step = 0; step < STEPS; step++) {
            vm.warp(block.timestamp + waits[source.between(0, 5)]);
            uint256 what = source.between(0, 5);
            if (what < 3) _declare(source);
            else if (what == 3) _veto(source);
            else _vetoBySig(source);
            _checkAll();
        }
    }

    function _declare(Draw.Source memory source) private {
        (address patient, bytes32 id) = (_patient(source), _id(source));
        Said storage said = _said[patient][id];
        vm.prank(_patient(source));
        (bool done, ) = address(_recovery).call(abi.encodeCall(IVaultRecovery.declareRecovery, (patient, id)));
        require(done == (said.declaredAt == 0 && said.vetoedAt == 0), "R1, R2: declared");
        if (done) said.declaredAt = uint48(block.timestamp);
    }

    function _veto(Draw.Source memory source) private {
        (address patient, bytes32 id) = (_patient(source), _id(source));
        vm.prank(patient);
        _recovery.vetoRecovery(id);
        _vetoed(patient, id);
    }

    function _vetoBySig(Draw.Source memory source) private {
        (address patient, bytes32 id) = (_patient(source), _id(source));
        uint256 key = source.between(1, KEYS);
        bytes32 signedId = source.between(0, 3) == 0 ? _id(source) : id;
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("MedSeal VaultRecovery"),
                keccak256("1"),
                block.chainid,
                address(_recovery)
            )
        );
        bytes32 message = keccak256(
            abi.encode(keccak256("Veto(address patient,bytes32 recoveryId)"), patient, signedId)
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", domain, message)));
        (bool done, ) = address(_recovery).call(
            abi.encodeCall(IVaultRecovery.vetoRecoveryBySig, (patient, id, abi.encodePacked(r, s, v)))
        );
        require(done == (vm.addr(key) == patient && signedId == id), "R3: whose veto");
        if (done) _vetoed(patient, id);
    }

    function _vetoed(address patient, bytes32 id) private {
        if (_said[patient][id].vetoedAt == 0) _said[patient][id].vetoedAt = uint48(block.timestamp);
    }

    function _checkAll() private view {
        for (uint256 key = 1; key <= KEYS; key++) {
            for (uint256 i = 0; i < IDS; i++) {
                address patient = vm.addr(key);
                Said memory said = _said[patient][bytes32(i)];
                (uint48 declaredAt, uint48 vetoedAt) = _recovery.recoveryOf(patient, bytes32(i));
                require(declaredAt == said.declaredAt && vetoedAt == said.vetoedAt, "R1, R3: times");
                uint256 age = block.timestamp - said.declaredAt;
                bool open = said.declaredAt != 0 && said.vetoedAt == 0 && age >= 7 days && age < 21 days;
                require(_recovery.isRecoveryOpen(patient, bytes32(i)) == open, "R1, R2: open");
            }
        }
    }

    function _patient(Draw.Source memory source) private pure returns (address) {
        return vm.addr(source.between(1, KEYS));
    }

    function _id(Draw.Source memory source) private pure returns (bytes32) {
        return bytes32(source.between(0, IDS - 1));
    }
}
