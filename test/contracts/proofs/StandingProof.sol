// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IPartyRegistry} from "../../../contracts/interfaces/IPartyRegistry.sol";
import {PartyStanding} from "../../../contracts/libraries/PartyStanding.sol";

/// @dev For the SMTChecker (`npm run smt`), not for the chain: how a party stands, of whatever a registry may remember of it, at any time.
contract StandingProof {
    /// @dev Expired, suspended, revoked, or never accredited: not accredited.
    function accreditedMeansInForce(
        PartyStanding.Mark mark,
        IPartyRegistry.Kind kind,
        uint48 validUntil,
        uint48 time
    ) external pure {
        if (_statusAt(mark, kind, validUntil, time) != IPartyRegistry.Status.Accredited) return;
        assert(time < validUntil);
        assert(mark != PartyStanding.Mark.None);
        assert(mark != PartyStanding.Mark.Suspended);
        assert(mark != PartyStanding.Mark.Revoked);
    }

    /// @dev Without a change in between, who is not accredited any more is not so later.
    function endedStaysEnded(
        PartyStanding.Mark mark,
        IPartyRegistry.Kind kind,
        uint48 validUntil,
        uint48 time,
        uint48 later
    ) external pure {
        if (later < time || _statusAt(mark, kind, validUntil, time) == IPartyRegistry.Status.Accredited) return;
        assert(_statusAt(mark, kind, validUntil, later) != IPartyRegistry.Status.Accredited);
    }

    function _statusAt(
        PartyStanding.Mark mark,
        IPartyRegistry.Kind kind,
        uint48 validUntil,
        uint48 time
    ) private pure returns (IPartyRegistry.Status) {
        return PartyStanding.statusAt(PartyStanding.Standing(mark, kind, validUntil), time);
    }
}
