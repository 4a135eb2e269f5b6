// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IConsentRegistry} from "../interfaces/IConsentRegistry.sol";
import {Merkle} from "./Merkle.sol";

/// @title What a consent covers, and whether one lies within another
library ConsentChain {
    uint16 private constant SHARE = 32;
    uint16 private constant DELEGATE = 64;
    uint16 private constant ALL_ACTIONS = 127;

    /// @dev Whether the consent allows all of this. An empty request, or one for an unknown action, is never allowed.
    function covers(
        IConsentRegistry.Link calldata link,
        address grantee,
        uint16 action,
        string calldata purpose,
        bytes32 stream,
        uint48 dataTime
    ) internal pure returns (bool) {
        if (grantee == address(0) || action == 0 || action > ALL_ACTIONS || bytes(purpose).length == 0) return false;
        if (stream == bytes32(0)) return false;
        IConsentRegistry.Consent calldata consent = link.consent;
        if (consent.grantee != grantee || action & ~consent.actions != 0) return false;
        if (!_equal(consent.purpose, purpose)) return false;
        if (dataTime < consent.dataStart || dataTime >= consent.dataEnd) return false;
        return _position(link, stream, 0) != _width(link);
    }

    /// @dev Whether `child` was passed on by the grantee of `parent` and asks for nothing that `parent` lacks. Their ids and scopes
    /// are the caller's to check.
    function isWithin(
        IConsentRegistry.Link calldata child,
        IConsentRegistry.Link calldata parent
    ) internal pure returns (bool) {
        IConsentRegistry.Consent calldata inner = child.consent;
        IConsentRegistry.Consent calldata outer = parent.consent;
        if (inner.grantor != outer.grantee || outer.actions & (SHARE | DELEGATE) == 0) return false;
        if (inner.actions & ~outer.actions != 0 || !_equal(inner.purpose, outer.purpose)) return false;
        if (inner.dataStart < outer.dataStart || inner.dataEnd > outer.dataEnd) return false;
        if (inner.periodStart < outer.periodStart || inner.periodEnd > outer.periodEnd) return false;
        return _isSubset(child, parent);
    }

    /// @dev Whether the streams are what the scope stands for: none for a stream id, else the strictly ascending list with that root.
    function hasStreams(IConsentRegistry.Link calldata link) internal pure returns (bool) {
        bytes32[] calldata streams = link.streams;
        if (streams.length == 0) return true;
        for (uint256 i = 1; i < streams.length; ++i) {
            if (streams[i - 1] >= streams[i]) return false;
        }
        return Merkle.rootOf(streams) == link.consent.scope;
    }

    /// @dev One walk over both ascending lists.
    function _isSubset(
        IConsentRegistry.Link calldata child,
        IConsentRegistry.Link calldata parent
    ) private pure returns (bool) {
        uint256 width = _width(child);
        uint256 parentWidth = _width(parent);
        uint256 position = 0;
        for (uint256 i = 0; i < width; ++i) {
            position = _position(parent, _stream(child, i), position);
            if (position == parentWidth) return false;
        }
        return true;
    }

    /// @dev The first place of `stream` at or after `from`, or the number of streams when there is none.
    function _position(
        IConsentRegistry.Link calldata link,
        bytes32 stream,
        uint256 from
    ) private pure returns (uint256 position) {
        uint256 width = _width(link);
        for (position = from; position < width; ++position) {
            if (_stream(link, position) == stream) break;
        }
    }

    function _width(IConsentRegistry.Link calldata link) private pure returns (uint256) {
        return link.streams.length == 0 ? 1 : link.streams.length;
    }

    function _stream(IConsentRegistry.Link calldata link, uint256 position) private pure returns (bytes32) {
        return link.streams.length == 0 ? link.consent.scope : link.streams[position];
    }

    function _equal(string calldata a, string calldata b) private pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }
}
