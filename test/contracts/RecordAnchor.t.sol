// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {RecordAnchor} from "../../contracts/RecordAnchor.sol";
import {IRecordAnchor} from "../../contracts/interfaces/IRecordAnchor.sol";
import {Draw, vm} from "./Vm.sol";

contract RecordAnchorTest {
    using Draw for Draw.Source;

    address private constant GATEWAY = address(0x6A7E);
    RecordAnchor private _anchor;

    function setUp() external {
        _anchor = new RecordAnchor();
    }

    function testFuzz_anchor_movesTheHeadOn(bytes32 root, bytes32 digest, uint64 size, bytes32 again) external {
        vm.assume(size != 0);
        bytes32 head = _head(bytes32(0), root, digest, size);
        vm.expectEmit(true, true, true, true, address(_anchor));
        emit IRecordAnchor.CheckpointAnchored(GATEWAY, root, digest, size, head);
        vm.prank(GATEWAY);
        _anchor.anchor(root, digest, size, bytes32(0));
        require(_anchor.headOf(GATEWAY) == head, "head");
        require(vm.load(address(_anchor), keccak256(abi.encode(GATEWAY, uint256(0)))) == head, "slot");

        vm.prank(GATEWAY);
        _anchor.anchor(again, digest, size, head);
        require(_anchor.headOf(GATEWAY) == _head(head, again, digest, size), "second head");
    }

    function testFuzz_anchor_refusesAnotherHead(bytes32 root, bytes32 expectedHead) external {
        vm.assume(expectedHead != bytes32(0));
        vm.expectRevert(
            abi.encodeWithSelector(IRecordAnchor.CheckpointHeadMismatch.selector, expectedHead, bytes32(0))
        );
        vm.prank(GATEWAY);
        _anchor.anchor(root, root, 1, expectedHead);
    }

    function testFuzz_anchor_refusesEmpty(bytes32 root, bytes32 digest, bytes32 head) external {
        vm.expectRevert(abi.encodeWithSelector(IRecordAnchor.CheckpointEmpty.selector));
        _anchor.anchor(root, digest, 0, head);
    }

    /// @dev An entry of a two-entry checkpoint somewhere in a line of checkpoints; then the same with one thing changed.
    function testFuzz_verifyInclusion_exactlyWhatWasAnchored(uint256 seed) external {
        Draw.Source memory source = Draw.Source(seed, 0);
        IRecordAnchor.Inclusion memory inclusion = _anchored(source);
        require(_anchor.verifyInclusion(GATEWAY, inclusion), "refused");
        require(!_anchor.verifyInclusion(address(0xBAD), inclusion), "another gateway");

        _change(inclusion, source.between(0, 10));
        require(!_anchor.verifyInclusion(GATEWAY, inclusion), "accepted a change");
    }

    function test_verifyInclusion_nothingOfAGatewayWithoutAnchors() external view {
        IRecordAnchor.Inclusion memory inclusion;
        require(!_anchor.verifyInclusion(GATEWAY, inclusion), "accepted");
    }

    function _anchored(Draw.Source memory source) private returns (IRecordAnchor.Inclusion memory inclusion) {
        for (uint256 i = source.between(0, 3); i > 0; i--) _anchorNext(source.word(), source.word(), 5);
        inclusion.headBefore = _anchor.headOf(GATEWAY);

        inclusion.tag = source.word();
        inclusion.headerDigest = source.word();
        inclusion.batchDigest = source.word();
        inclusion.proof = new bytes32[](1);
        inclusion.proof[0] = source.word();
        bytes32 leaf = sha256(abi.encodePacked(uint8(0), inclusion.tag, inclusion.headerDigest, inclusion.batchDigest));
        inclusion.root = sha256(abi.encodePacked(uint8(1), leaf, inclusion.proof[0]));
        inclusion.checkpointDigest = source.word();
        inclusion.size = 2;
        _anchorNext(inclusion.root, inclusion.checkpointDigest, inclusion.size);

        inclusion.laterInners = new bytes32[](source.between(0, 3));
        for (uint256 i = 0; i < inclusion.laterInners.length; i++) {
            (bytes32 root, bytes32 digest) = (source.word(), source.word());
            _anchorNext(root, digest, 9);
            inclusion.laterInners[i] = keccak256(abi.encodePacked(root, digest, uint64(9)));
        }
    }

    function _change(IRecordAnchor.Inclusion memory inclusion, uint256 what) private pure {
        bytes32 bit = bytes32(uint256(1) << 77);
        if (what == 0) inclusion.tag ^= bit;
        if (what == 1) inclusion.headerDigest ^= bit;
        if (what == 2) inclusion.batchDigest ^= bit;
        if (what == 3) inclusion.index = 1;
        if (what == 4) inclusion.proof[0] ^= bit;
        if (what == 5) inclusion.root ^= bit;
        if (what == 6) inclusion.checkpointDigest ^= bit;
        if (what == 7) inclusion.size = 3;
        if (what == 8) inclusion.headBefore ^= bit;
        if (what == 9) inclusion.laterInners = new bytes32[](inclusion.laterInners.length + 1);
        if (what == 10) inclusion.proof = new bytes32[](0);
    }

    function _anchorNext(bytes32 root, bytes32 digest, uint64 size) private {
        bytes32 head = _anchor.headOf(GATEWAY);
        vm.prank(GATEWAY);
        _anchor.anchor(root, digest, size, head);
    }

    function _head(bytes32 head, bytes32 root, bytes32 digest, uint64 size) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(head, keccak256(abi.encodePacked(root, digest, size))));
    }
}
