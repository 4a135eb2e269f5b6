// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";

/// @dev A contract account with one owner, who can be taken away again.
contract OwnedWallet is IERC1271 {
    address private _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function renounce() external {
        _owner = address(0);
    }

    function revoke(IConsentRegistry registry, bytes32 consentId) external {
        registry.revoke(consentId);
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (address signer, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        bool good = problem == ECDSA.RecoverError.NoError && signer == _owner;
        return good ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @dev Answers whatever bytes it is told to, to any call.
contract AnsweringWallet {
    bytes private _answer;

    constructor(bytes memory answer) {
        _answer = answer;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return _answer;
    }
}

/// @dev Says yes, in a revert.
contract RevertingWallet {
    error No(bytes32 answer);

    fallback() external {
        revert No(bytes32(IERC1271.isValidSignature.selector));
    }
}

/// @dev Never comes to an answer.
contract BurningWallet {
    fallback() external {
        for (uint256 i = 0; ; ++i) keccak256(abi.encode(i));
    }
}

/// @dev Says yes, in the first of as many bytes as its gas allows.
contract FloodingWallet {
    fallback(bytes calldata) external returns (bytes memory answer) {
        answer = new bytes(400_000);
        for (uint256 i = 0; i < 4; ++i) answer[i] = IERC1271.isValidSignature.selector[i];
    }
}

/// @dev Tries to use the registry while it is asked, then says yes to what it was asked.
contract ReenteringWallet {
    function isValidSignature(bytes32 digest, bytes calldata) external returns (bytes4) {
        try IConsentRegistry(msg.sender).revoke(digest) {
            return bytes4(0xffffffff);
        } catch {
            return IERC1271.isValidSignature.selector;
        }
    }
}

/// @dev What a person's account may be delegated to (EIP-7702): code that knows nothing of signatures.
contract SilentDelegate {
    receive() external payable {}
}
