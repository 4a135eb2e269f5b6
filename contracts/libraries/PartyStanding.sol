// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IPartyRegistry} from "../interfaces/IPartyRegistry.sol";

/// @title What a registry remembers of a party from one change to the next, packed for a checkpoint
library PartyStanding {
    enum Mark {
        None,
        Good,
        Suspended,
        Revoked
    }

    struct Standing {
        Mark mark;
        IPartyRegistry.Kind kind;
        uint48 validUntil;
    }

    /// @dev `validUntil` in bits 0..47, `kind` in 48..55, `mark` in 56..63.
    function pack(Standing memory standing) internal pure returns (uint208) {
        return uint208(standing.validUntil) | (uint208(standing.kind) << 48) | (uint208(standing.mark) << 56);
    }

    function unpack(uint208 packed) internal pure returns (Standing memory) {
        return
            Standing({
                mark: Mark(uint8(packed >> 56)),
                kind: IPartyRegistry.Kind(uint8(packed >> 48)),
                validUntil: uint48(packed)
            });
    }

    function statusAt(Standing memory standing, uint48 time) internal pure returns (IPartyRegistry.Status) {
        if (standing.mark == Mark.None) return IPartyRegistry.Status.None;
        if (standing.mark == Mark.Revoked) return IPartyRegistry.Status.Revoked;
        if (standing.mark == Mark.Suspended) return IPartyRegistry.Status.Suspended;
        return time < standing.validUntil ? IPartyRegistry.Status.Accredited : IPartyRegistry.Status.Expired;
    }
}
