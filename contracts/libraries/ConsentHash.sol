// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IConsentRegistry} from "../interfaces/IConsentRegistry.sol";

/// @title EIP-712 struct hashes of consents and of the messages about them
library ConsentHash {
    // The layout of a consent stands here three times in full: the compiler hashes literals, and nothing else.
    bytes32 private constant CONSENT_TYPEHASH = keccak256(
        "Consent(address grantor,address grantee,bytes32 scope,string purpose,uint48 dataStart,uint48 dataEnd,"
        "uint48 periodStart,uint48 periodEnd,uint16 actions,bytes32 parent,bytes32 salt,string statement)"
    );
    bytes32 private constant GRANT_TYPEHASH = keccak256(
        "Grant(Consent consent,uint48 issuedAt,uint48 deadline)"
        "Consent(address grantor,address grantee,bytes32 scope,string purpose,uint48 dataStart,uint48 dataEnd,"
        "uint48 periodStart,uint48 periodEnd,uint16 actions,bytes32 parent,bytes32 salt,string statement)"
    );
    bytes32 private constant REVOKE_TYPEHASH = keccak256(
        "Revoke(Consent consent)"
        "Consent(address grantor,address grantee,bytes32 scope,string purpose,uint48 dataStart,uint48 dataEnd,"
        "uint48 periodStart,uint48 periodEnd,uint16 actions,bytes32 parent,bytes32 salt,string statement)"
    );
    bytes32 private constant REVOKE_ALL_TYPEHASH = keccak256("RevokeAll(address grantor,uint48 issuedAt)");

    /// @dev The id of a consent.
    function idOf(IConsentRegistry.Consent calldata consent) internal pure returns (bytes32) {
        return
            keccak256(
                bytes.concat(
                    abi.encode(
                        CONSENT_TYPEHASH,
                        consent.grantor,
                        consent.grantee,
                        consent.scope,
                        keccak256(bytes(consent.purpose)),
                        consent.dataStart,
                        consent.dataEnd
                    ),
                    abi.encode(
                        consent.periodStart,
                        consent.periodEnd,
                        consent.actions,
                        consent.parent,
                        consent.salt,
                        keccak256(bytes(consent.statement))
                    )
                )
            );
    }

    /// @dev EIP-712 encodes a nested struct as its hash, so the consent's id stands for the consent.
    function grantHash(bytes32 consentId, uint48 issuedAt, uint48 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(GRANT_TYPEHASH, consentId, issuedAt, deadline));
    }

    function revokeHash(bytes32 consentId) internal pure returns (bytes32) {
        return keccak256(abi.encode(REVOKE_TYPEHASH, consentId));
    }

    function revokeAllHash(address grantor, uint48 issuedAt) internal pure returns (bytes32) {
        return keccak256(abi.encode(REVOKE_ALL_TYPEHASH, grantor, issuedAt));
    }
}
