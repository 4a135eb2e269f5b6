import { expect } from "chai";
import { random } from "../../../src/bytes/random.ts";
import { x25519, X25519KeyError, x25519PublicKey } from "../../../src/seal/x25519.ts";

describe("X25519", () => {
  it("gives both sides the same secret", () => {
    const [one, two] = [random(32), random(32)];
    expect(x25519(one, x25519PublicKey(two))).to.deep.equal(x25519(two, x25519PublicKey(one)));
  });

  it("refuses wrong lengths", () => {
    const key = random(32);
    for (const size of [0, 31, 33]) {
      expect(() => x25519(key, new Uint8Array(size).fill(9))).to.throw(X25519KeyError);
      expect(() => x25519(new Uint8Array(size).fill(9), x25519PublicKey(key))).to.throw(X25519KeyError);
      expect(() => x25519PublicKey(new Uint8Array(size))).to.throw(X25519KeyError);
    }
  });
});
