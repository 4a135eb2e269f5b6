// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ConsentLedger} from "./ConsentLedger.sol";
import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {ConsentChain} from "./libraries/ConsentChain.sol";
import {ConsentHash} from "./libraries/ConsentHash.sol";
import {ConsentSignature} from "./libraries/ConsentSignature.sol";

/// @title Consent registry
/// @dev Immutable and without an owner: nobody can grant, revoke or change anything but the grantor.
contract ConsentRegistry is ConsentLedger, EIP712 {
    /// @dev How long a signed grant may be held back.
    uint48 private constant MAX_GRANT_DELAY = 7 days;

    /// @dev The patient's own consent and three that pass it on.
    uint256 private constant MAX_LINKS = 4;

    constructor() EIP712("MedSeal ConsentRegistry", "1") {}

    /// @inheritdoc IConsentRegistry
    function grant(bytes32 consentId) external {
        _grant(msg.sender, consentId, _now());
    }

    /// @inheritdoc IConsentRegistry
    function grantBySig(
        address grantor,
        bytes32 consentId,
        uint48 issuedAt,
        uint48 deadline,
        bytes calldata signature
    ) external {
        bytes4 refusal = _refusalOfTime(issuedAt, deadline);
        if (refusal == ConsentDeadlinePassed.selector) revert ConsentDeadlinePassed(deadline);
        if (refusal != DONE) revert ConsentDeadlineTooLate(deadline, issuedAt + MAX_GRANT_DELAY);
        _requireSigned(grantor, ConsentHash.grantHash(consentId, issuedAt, deadline), signature);

        _grant(grantor, consentId, issuedAt);
    }

    /// @inheritdoc IConsentRegistry
    function grantManyBySig(SignedGrant[] calldata grants) external returns (bytes4[] memory refusals) {
        refusals = new bytes4[](grants.length);
        for (uint256 i = 0; i < grants.length; ++i) refusals[i] = _tryGrantBySig(grants[i]);
    }

    /// @inheritdoc IConsentRegistry
    function revoke(bytes32 consentId) external {
        _revoke(msg.sender, consentId);
    }

    /// @inheritdoc IConsentRegistry
    function revokeBySig(address grantor, bytes32 consentId, bytes calldata signature) external {
        _requireSigned(grantor, ConsentHash.revokeHash(consentId), signature);

        _revoke(grantor, consentId);
    }

    /// @inheritdoc IConsentRegistry
    function revokeManyBySig(SignedRevoke[] calldata revocations) external returns (bytes4[] memory refusals) {
        refusals = new bytes4[](revocations.length);
        for (uint256 i = 0; i < revocations.length; ++i) {
            SignedRevoke calldata message = revocations[i];
            bytes32 digest = _hashTypedDataV4(ConsentHash.revokeHash(message.consentId));
            if (ConsentSignature.isByKey(message.grantor, digest, message.signature)) {
                _revoke(message.grantor, message.consentId);
            } else {
                refusals[i] = ConsentSignatureInvalid.selector;
            }
        }
    }

    /// @inheritdoc IConsentRegistry
    function revokeAll() external {
        _revokeAll(msg.sender, _now());
    }

    /// @inheritdoc IConsentRegistry
    function revokeAllBySig(address grantor, uint48 issuedAt, bytes calldata signature) external {
        _requireSigned(grantor, ConsentHash.revokeAllHash(grantor, issuedAt), signature);

        _revokeAll(grantor, issuedAt);
    }

    /// @inheritdoc IConsentRegistry
    function consentIdOf(Consent calldata consent) external pure returns (bytes32) {
        return ConsentHash.idOf(consent);
    }

    /// @inheritdoc IConsentRegistry
    function isPermitted(
        Link[] calldata chain,
        address grantee,
        uint16 action,
        string calldata purpose,
        bytes32 stream,
        uint48 dataTime
    ) external view returns (bool) {
        if (chain.length == 0 || chain.length > MAX_LINKS || !_isInForce(chain)) return false;
        return ConsentChain.covers(chain[chain.length - 1], grantee, action, purpose, stream, dataTime);
    }

    /// @dev Whether every link is active, in its period, and passed on by the one before within what that one allows.
    function _isInForce(Link[] calldata chain) private view returns (bool) {
        bytes32 parent = bytes32(0);
        for (uint256 i = 0; i < chain.length; ++i) {
            Consent calldata consent = chain[i].consent;
            if (consent.parent != parent) return false;
            if (block.timestamp < consent.periodStart || block.timestamp >= consent.periodEnd) return false;
            if (!ConsentChain.hasStreams(chain[i])) return false;
            if (i > 0 && !ConsentChain.isWithin(chain[i], chain[i - 1])) return false;
            parent = ConsentHash.idOf(consent);
            if (!isActive(consent.grantor, parent)) return false;
        }
        return true;
    }

    /// @dev Grants, or changes nothing and returns the selector of the error that says why.
    function _tryGrantBySig(SignedGrant calldata message) private returns (bytes4 refusal) {
        refusal = _refusalOfTime(message.issuedAt, message.deadline);
        if (refusal != DONE) return refusal;
        bytes32 digest = _hashTypedDataV4(ConsentHash.grantHash(message.consentId, message.issuedAt, message.deadline));
        if (!ConsentSignature.isByKey(message.grantor, digest, message.signature)) {
            return ConsentSignatureInvalid.selector;
        }
        return _tryGrant(message.grantor, message.consentId, message.issuedAt);
    }

    /// @dev The selector of the error for a grant relayed too late, or signed for too long.
    function _refusalOfTime(uint48 issuedAt, uint48 deadline) private view returns (bytes4) {
        if (block.timestamp > deadline) return ConsentDeadlinePassed.selector;
        if (deadline > uint256(issuedAt) + MAX_GRANT_DELAY) return ConsentDeadlineTooLate.selector;
        return DONE;
    }

    function _requireSigned(address grantor, bytes32 structHash, bytes calldata signature) private view {
        if (!ConsentSignature.isValid(grantor, _hashTypedDataV4(structHash), signature)) {
            revert ConsentSignatureInvalid();
        }
    }
}
