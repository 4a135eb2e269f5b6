import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

/** The contracts stand alone: no owner, no constructor arguments, no order. */
export default buildModule("MedSeal", (m) => ({
  consentRegistry: m.contract("ConsentRegistry"),
  recordAnchor: m.contract("RecordAnchor"),
}));
