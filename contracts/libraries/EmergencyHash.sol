// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IEmergencyAccess} from "../interfaces/IEmergencyAccess.sol";

/// @title EIP-712 struct hashes of declarations and of what a co-signer signs
library EmergencyHash {
    bytes private constant DECLARATION_TYPE =
        "Declaration(address grantor,bytes32 scope,uint48 dataStart,uint48 dataEnd,address declarant,bytes32 hpkeKey,"
        "address coSigner,string reason,bytes32 salt)";

    bytes32 private constant DECLARATION_TYPEHASH = keccak256(DECLARATION_TYPE);
    bytes32 private constant CO_SIGN_TYPEHASH = keccak256(
        bytes.concat(
            "CoSign(Declaration declaration,address organisation,uint48 term,uint48 deadline)",
            DECLARATION_TYPE
        )
    );

    function commitmentOf(IEmergencyAccess.Declaration calldata declaration) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    DECLARATION_TYPEHASH,
                    declaration.grantor,
                    declaration.scope,
                    declaration.dataStart,
                    declaration.dataEnd,
                    declaration.declarant,
                    declaration.hpkeKey,
                    declaration.coSigner,
                    keccak256(bytes(declaration.reason)),
                    declaration.salt
                )
            );
    }

    /// @dev EIP-712 encodes a nested struct as its hash, so the commitment stands for the declaration.
    function coSignHash(
        bytes32 commitment,
        address organisation,
        uint48 term,
        uint48 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(CO_SIGN_TYPEHASH, commitment, organisation, term, deadline));
    }
}
