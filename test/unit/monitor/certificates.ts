import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** PEM, both. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY = 86_400_000;

/** An authority that signed itself, and a server's certificate from it. */
export async function certifiedServer(host: string): Promise<{ authority: string; server: Certified }> {
  // Named, since other packages put another implementation in its place for all of a process.
  const crypto = webcrypto;
  const { subtle } = crypto;
  const [ours, theirs] = [
    await subtle.generateKey(P256, true, ["sign", "verify"]),
    await subtle.generateKey(P256, true, ["sign", "verify"]),
  ];
  const times = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + DAY) };
  const authority = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...times,
      name: "CN=A test's authority",
      keys: ours,
      signingAlgorithm: P256,
      extensions: [new x509.BasicConstraintsExtension(true)],
    },
    crypto,
  );
  const server = await x509.X509CertificateGenerator.create(
    {
      ...times,
      subject: `CN=${host}`,
      issuer: authority.subject,
      publicKey: theirs.publicKey,
      signingKey: ours.privateKey,
      signingAlgorithm: P256,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: host }])],
    },
    crypto,
  );
  const key = x509.PemConverter.encode(await subtle.exportKey("pkcs8", theirs.privateKey), "PRIVATE KEY");
  return { authority: authority.toString("pem"), server: { certificate: server.toString("pem"), key } };
}
