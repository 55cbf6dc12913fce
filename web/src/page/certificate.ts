import { fingerprintOf } from "./fingerprint.ts";

export type Certificate = { certificate: RTCCertificate; fingerprint: Uint8Array<ArrayBuffer> };

/** One DTLS certificate for all links of a session; the fingerprint as every browser tells it, in SDP. */
export async function makeCertificate(): Promise<Certificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" } as EcKeyGenParams;
  const certificate = await RTCPeerConnection.generateCertificate(algorithm);
  const pc = new RTCPeerConnection({ certificates: [certificate] });
  try {
    pc.createDataChannel("ctl", { negotiated: true, id: 0 });
    const fingerprint = fingerprintOf((await pc.createOffer()).sdp ?? "");
    if (!fingerprint) throw new Error("this browser tells no SHA-256 fingerprint");
    return { certificate, fingerprint };
  } finally {
    pc.close();
  }
}
