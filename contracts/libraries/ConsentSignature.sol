// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Who signed: an account's own key, or its contract's word
/// @dev OpenZeppelin's SignatureChecker asks the code of every account that has some, and so takes away the own key of an account
/// delegated by EIP-7702 (code `0xef0100 ‖ address`). That key can send the account's transactions anyway; here it always counts.
library ConsentSignature {
    /// @dev Most that a contract may spend on its answer: twice what a passkey wallet needs without a P-256 precompile. What it can
    /// make the relayer spend is bounded too, since an answer of many bytes costs the contract as much as the copy costs here.
    uint256 private constant CONTRACT_GAS = 500_000;

    /// @dev The only answer of a contract that counts: these 4 bytes, right-padded to exactly 32.
    bytes32 private constant CONTRACT_ANSWER = bytes32(IERC1271.isValidSignature.selector);

    function isValid(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        return isByKey(signer, digest, signature) || _isByContract(signer, digest, signature);
    }

    /// @dev Runs nobody's code.
    function isByKey(address signer, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        (address recovered, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        // A failed recovery gives the zero address, for which nobody may act.
        return recovered == signer && problem == ECDSA.RecoverError.NoError;
    }

    function _isByContract(address signer, bytes32 digest, bytes calldata signature) private view returns (bool) {
        // A precompile answers without code and is nobody's wallet.
        if (signer.code.length == 0) return false;
        (bool answered, bytes memory answer) = signer.staticcall{gas: CONTRACT_GAS}(
            abi.encodeCall(IERC1271.isValidSignature, (digest, signature))
        );
        return answered && answer.length == 32 && bytes32(answer) == CONTRACT_ANSWER;
    }
}
