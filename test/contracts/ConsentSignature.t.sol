// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ConsentRegistry} from "../../contracts/ConsentRegistry.sol";
import {IConsentRegistry} from "../../contracts/interfaces/IConsentRegistry.sol";
import {vm} from "./Vm.sol";

/// @dev A wallet whose word is what gas it was given: it says yes to the signature that names the rest that it has.
contract FrugalWallet {
    function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
        uint256 left = gasleft();
        if (signature.length == 0) return bytes4(uint32(left));
        return abi.decode(signature, (uint256)) == left ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @dev Signed messages under every key and at every time. Type hashes and domain are written out here once more, so that a slip in
/// the contract's shows.
contract ConsentSignatureTest {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    uint48 private constant NOW = 1_800_000_000;
    bytes32 private constant GRANT = keccak256(
        "Grant(Consent consent,uint48 issuedAt,uint48 deadline)Consent(address grantor,address grantee,bytes32 scope,string purpose,uint48 dataStart,uint48 dataEnd,uint48 periodStart,uint48 periodEnd,uint16 actions,bytes32 parent,bytes32 salt,string statement)"
    );
    bytes32 private constant REVOKE = keccak256(
        "Revoke(Consent consent)Consent(address grantor,address grantee,bytes32 scope,string purpose,uint48 dataStart,uint48 dataEnd,uint48 periodStart,uint48 periodEnd,uint16 actions,bytes32 parent,bytes32 salt,string statement)"
    );
    bytes32 private constant REVOKE_ALL = keccak256("RevokeAll(address grantor,uint48 issuedAt)");

    ConsentRegistry private _registry;

    function setUp() external {
        _registry = new ConsentRegistry();
        vm.warp(NOW);
    }

    function testFuzz_grantBySig_onlyInItsTimes(bytes32 id, uint48 issuedAt, uint48 deadline, bool near) external {
        if (near) {
            // Around the bounds, where the rules part.
            issuedAt = NOW - 8 days + (issuedAt % 9 days);
            deadline = issuedAt + (deadline % 8 days);
        }
        address patient = vm.addr(7);
        bytes memory signature = _sign(7, keccak256(abi.encode(GRANT, id, issuedAt, deadline)));
        bool good =
            issuedAt > 0 &&
                issuedAt <= NOW + 15 minutes &&
                NOW <= deadline &&
                uint256(deadline) <= uint256(issuedAt) + 7 days;
        try _registry.grantBySig(patient, id, issuedAt, deadline, signature) {
            require(good, "accepted");
        } catch {
            require(!good, "refused");
        }
        require(_registry.isActive(patient, id) == good, "active");
    }

    function testFuzz_bySig_acceptsTheGrantorsKey(uint256 key, bytes32 id) external {
        key = _key(key);
        address patient = vm.addr(key);
        _registry.grantBySig(patient, id, NOW, NOW, _sign(key, keccak256(abi.encode(GRANT, id, NOW, NOW))));
        require(_registry.isActive(patient, id), "not granted");
        _registry.revokeBySig(patient, id, _sign(key, keccak256(abi.encode(REVOKE, id))));
        require(!_registry.isActive(patient, id), "not revoked");
        _registry.revokeAllBySig(patient, NOW, _sign(key, keccak256(abi.encode(REVOKE_ALL, patient, NOW))));
        require(_registry.endedBefore(patient) == NOW, "not ended");
    }

    function testFuzz_bySig_refusesAnyOtherKey(uint256 key, uint256 other, bytes32 id) external {
        (key, other) = (_key(key), _key(other));
        vm.assume(key != other);
        _expectRefused(vm.addr(key), id, other);
    }

    /// @dev No message stands for another, nor for the same with other words.
    function testFuzz_bySig_refusesAnyOtherMessage(uint256 key, bytes32 id, bytes32 message) external {
        key = _key(key);
        address patient = vm.addr(key);
        bytes memory signature = _sign(key, message);
        _refused(abi.encodeCall(IConsentRegistry.grantBySig, (patient, id, NOW, NOW, signature)));
        _refused(abi.encodeCall(IConsentRegistry.revokeBySig, (patient, id, signature)));
        _refused(abi.encodeCall(IConsentRegistry.revokeAllBySig, (patient, NOW, signature)));
        signature = _sign(key, keccak256(abi.encode(REVOKE, id)));
        _refused(abi.encodeCall(IConsentRegistry.grantBySig, (patient, id, NOW, NOW, signature)));
    }

    function testFuzz_bySig_refusesAnyOtherBytes(address grantor, bytes32 id, bytes calldata signature) external {
        _refused(abi.encodeCall(IConsentRegistry.grantBySig, (grantor, id, NOW, NOW, signature)));
        _refused(abi.encodeCall(IConsentRegistry.revokeBySig, (grantor, id, signature)));
        _refused(abi.encodeCall(IConsentRegistry.revokeAllBySig, (grantor, NOW, signature)));
    }

    /// @dev A failed recovery gives the zero address: nobody must be able to act for it. Precompiles are nobody either.
    function testFuzz_bySig_nobodyActsForNobody(uint8 account, bytes32 id, bytes32 r, bytes32 s, uint8 v) external {
        bytes memory signature = abi.encodePacked(r, s, v);
        _refused(abi.encodeCall(IConsentRegistry.revokeBySig, (address(uint160(account)), id, signature)));
        _refused(abi.encodeCall(IConsentRegistry.revokeBySig, (address(0x100), id, signature)));
    }

    /// @dev Half a million, and not one more.
    function testFuzz_bySig_aWalletHasItsGas(bytes32 id, uint8 more) external {
        FrugalWallet wallet = new FrugalWallet();
        uint256 left = uint32(wallet.isValidSignature{gas: 500_000}(id, ""));
        if (more != 0) {
            _refused(abi.encodeCall(IConsentRegistry.revokeBySig, (address(wallet), id, abi.encode(left + more))));
        }
        _registry.revokeBySig(address(wallet), id, abi.encode(left));
    }

    function _expectRefused(address patient, bytes32 id, uint256 key) private {
        bytes32 grantHash = keccak256(abi.encode(GRANT, id, NOW, NOW));
        bytes32 revokeHash = keccak256(abi.encode(REVOKE, id));
        bytes32 revokeAllHash = keccak256(abi.encode(REVOKE_ALL, patient, NOW));
        _refused(abi.encodeCall(IConsentRegistry.grantBySig, (patient, id, NOW, NOW, _sign(key, grantHash))));
        _refused(abi.encodeCall(IConsentRegistry.revokeBySig, (patient, id, _sign(key, revokeHash))));
        _refused(abi.encodeCall(IConsentRegistry.revokeAllBySig, (patient, NOW, _sign(key, revokeAllHash))));
    }

    function _refused(bytes memory call) private {
        (bool done, bytes memory answer) = address(_registry).call(call);
        require(!done, "accepted");
        require(keccak256(answer) == keccak256(abi.encodePacked(IConsentRegistry.ConsentSignatureInvalid.selector)));
    }

    function _key(uint256 seed) private pure returns (uint256) {
        return 1 + (seed % (ORDER - 1));
    }

    function _sign(uint256 key, bytes32 structHash) private view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("MedSeal ConsentRegistry"),
                keccak256("1"),
                block.chainid,
                address(_registry)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }
}
