// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @dev The cheat codes of Hardhat's Solidity test runner that the tests use.
interface Vm {
    function addr(uint256 privateKey) external pure returns (address);
    function assume(bool condition) external pure;
    function chainId(uint256 id) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function expectRevert(bytes calldata revertData) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
    function prank(address sender) external;
    function publicKeyP256(uint256 privateKey) external pure returns (uint256 x, uint256 y);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function signP256(uint256 privateKey, bytes32 digest) external pure returns (bytes32 r, bytes32 s);
    function warp(uint256 timestamp) external;
}

// The address at which the runner answers: the last 20 bytes of keccak256("hevm cheat code").
Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @dev Draws numbers out of one fuzzed seed, so that a test can build nested structures of any shape.
library Draw {
    struct Source {
        uint256 seed;
        uint256 drawn;
    }

    function word(Source memory source) internal pure returns (bytes32) {
        return keccak256(abi.encode(source.seed, source.drawn++));
    }

    /// @dev A number from `low` to `high`, both included.
    function between(Source memory source, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + (uint256(word(source)) % (high - low + 1));
    }
}
