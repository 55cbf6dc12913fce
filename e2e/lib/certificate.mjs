// A certificate of a test's own, and how Chromium is told to believe it.
import { execFileSync } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "./programs.mjs";

// certificate is {args, flags}: for the host and for Chromium.
export function certificate(t) {
  const dir = folder(t);
  const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-keyout", key, "-out", cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], { stdio: "pipe" });
  const spki = new X509Certificate(readFileSync(cert)).publicKey.export({ type: "spki", format: "der" });
  return {
    args: ["--cert", cert, "--key", key],
    flags: ["--ignore-certificate-errors-spki-list=" + createHash("sha256").update(spki).digest("base64")],
  };
}
