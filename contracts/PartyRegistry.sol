// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IPartyRegistry} from "./interfaces/IPartyRegistry.sol";
import {PartyStanding} from "./libraries/PartyStanding.sol";

/// @title Party registry
/// @dev Roles decide who is accredited; they reach no key.
contract PartyRegistry is IPartyRegistry, AccessManaged {
    using Checkpoints for Checkpoints.Trace208;
    using PartyStanding for PartyStanding.Standing;

    /// @dev Longest that a registrar's word counts without being renewed.
    uint48 private constant MAX_TERM = 3 * 365 days;

    /// @dev How long others have to notice a change of keys, and the party to cancel it.
    uint48 private constant KEY_DELAY = 2 days;

    mapping(address party => Checkpoints.Trace208 standings) private _standings;
    mapping(address party => bytes32 credentialDigest) private _credentials;
    mapping(address party => Keys keys) private _keys;
    mapping(address party => Keys keys) private _proposedKeys;

    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IPartyRegistry
    function accredit(address party, Kind kind, uint48 validUntil, bytes32 credentialDigest) external restricted {
        if (kind == Kind.None) revert PartyKindMissing();
        if (credentialDigest == bytes32(0)) revert PartyCredentialMissing();
        uint48 latest = _now() + MAX_TERM;
        if (validUntil <= _now() || validUntil > latest) revert PartyTermInvalid(validUntil, latest);
        PartyStanding.Standing memory standing = _latest(party);
        if (standing.mark == PartyStanding.Mark.Revoked) revert PartyRevokedAlready(party);
        if (standing.mark == PartyStanding.Mark.Suspended) revert PartyIsSuspended(party);
        if (standing.mark != PartyStanding.Mark.None && standing.kind != kind) revert PartyKindDiffers(standing.kind);

        _credentials[party] = credentialDigest;
        _record(party, PartyStanding.Standing({mark: PartyStanding.Mark.Good, kind: kind, validUntil: validUntil}));

        emit PartyAccredited(party, msg.sender, kind, validUntil, credentialDigest);
    }

    /// @inheritdoc IPartyRegistry
    function suspend(address party) external restricted {
        PartyStanding.Standing memory standing = _known(party);
        if (standing.mark != PartyStanding.Mark.Good) return;

        standing.mark = PartyStanding.Mark.Suspended;
        _record(party, standing);

        emit PartySuspended(party);
    }

    /// @inheritdoc IPartyRegistry
    function resume(address party) external restricted {
        PartyStanding.Standing memory standing = _known(party);
        if (standing.mark == PartyStanding.Mark.Revoked) revert PartyRevokedAlready(party);
        if (standing.mark != PartyStanding.Mark.Suspended) revert PartyNotSuspended(party);

        standing.mark = PartyStanding.Mark.Good;
        _record(party, standing);

        emit PartyResumed(party);
    }

    /// @inheritdoc IPartyRegistry
    function revoke(address party) external restricted {
        PartyStanding.Standing memory standing = _known(party);
        if (standing.mark == PartyStanding.Mark.Revoked) return;

        standing.mark = PartyStanding.Mark.Revoked;
        _record(party, standing);

        emit PartyRevoked(party);
    }

    /// @inheritdoc IPartyRegistry
    function proposeKeys(bytes32 hpkeKey, bytes32 viewKey) external {
        if (hpkeKey == bytes32(0) || viewKey == bytes32(0)) revert PartyKeyMissing();

        _settleKeys(msg.sender);
        uint48 activeFrom = _now() + KEY_DELAY;
        _proposedKeys[msg.sender] = Keys({hpkeKey: hpkeKey, viewKey: viewKey, activeFrom: activeFrom});

        emit KeysProposed(msg.sender, hpkeKey, viewKey, activeFrom);
    }

    /// @inheritdoc IPartyRegistry
    function cancelKeys() external {
        Keys memory proposed = _proposedKeys[msg.sender];
        if (!_isPending(proposed.activeFrom)) revert PartyKeysNotProposed();

        delete _proposedKeys[msg.sender];

        emit KeysProposalCancelled(msg.sender, proposed.hpkeKey);
    }

    /// @inheritdoc IPartyRegistry
    function retireKeys(bytes32 hpkeKey) external {
        _settleKeys(msg.sender);
        bytes32 inForce = _keys[msg.sender].hpkeKey;
        if (hpkeKey == bytes32(0) || hpkeKey != inForce) revert PartyKeyNotInForce(hpkeKey, inForce);

        delete _keys[msg.sender];

        emit KeysRetired(msg.sender, hpkeKey);
    }

    /// @inheritdoc IPartyRegistry
    function keysOf(address party) external view returns (Keys memory) {
        Keys memory proposed = _proposedKeys[party];
        return _isInForce(proposed.activeFrom) ? proposed : _keys[party];
    }

    /// @inheritdoc IPartyRegistry
    function proposedKeysOf(address party) external view returns (Keys memory proposed) {
        proposed = _proposedKeys[party];
        if (!_isPending(proposed.activeFrom)) delete proposed;
    }

    /// @inheritdoc IPartyRegistry
    function statusAt(address party, uint48 time) external view returns (Status) {
        return PartyStanding.unpack(_standings[party].upperLookupRecent(time)).statusAt(time);
    }

    /// @inheritdoc IPartyRegistry
    function isAccredited(address party, Kind kind) external view returns (bool) {
        PartyStanding.Standing memory standing = _latest(party);
        return standing.kind == kind && standing.statusAt(_now()) == Status.Accredited;
    }

    /// @inheritdoc IPartyRegistry
    function accreditationOf(
        address party
    ) external view returns (Kind kind, uint48 validUntil, bytes32 credentialDigest) {
        PartyStanding.Standing memory standing = _latest(party);
        return (standing.kind, standing.validUntil, _credentials[party]);
    }

    /// @dev Several changes in one block are one: the last counts for its second.
    function _record(address party, PartyStanding.Standing memory standing) private {
        _standings[party].push(_now(), standing.pack());
    }

    /// @dev Moves a proposal that came into force to where the next one will not overwrite it.
    function _settleKeys(address party) private {
        Keys storage proposed = _proposedKeys[party];
        if (!_isInForce(proposed.activeFrom)) return;

        _keys[party] = proposed;
        delete _proposedKeys[party];
    }

    function _known(address party) private view returns (PartyStanding.Standing memory standing) {
        standing = _latest(party);
        if (standing.mark == PartyStanding.Mark.None) revert PartyUnknown(party);
    }

    function _latest(address party) private view returns (PartyStanding.Standing memory) {
        return PartyStanding.unpack(_standings[party].latest());
    }

    function _isInForce(uint48 activeFrom) private view returns (bool) {
        return activeFrom != 0 && _now() >= activeFrom;
    }

    function _isPending(uint48 activeFrom) private view returns (bool) {
        return _now() < activeFrom;
    }

    function _now() private view returns (uint48) {
        return uint48(block.timestamp);
    }
}
