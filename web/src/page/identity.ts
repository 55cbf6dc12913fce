// The page's stable Ed25519 key. It is not extractable and rests in IndexedDB.
import { sha256, toHex } from "../wire/bytes.ts";

export type Identity = { key: CryptoKey; public: Uint8Array; id: string };

const DATABASE = "tuber";
const STORE = "keys";

export async function loadIdentity(): Promise<Identity> {
  let pair: CryptoKeyPair;
  try {
    pair = await storedPair();
  } catch {
    pair = await newPair(); // no storage here (private window): a key for this page alone
  }
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { key: pair.privateKey, public: raw, id: toHex((await sha256(raw)).subarray(0, 16)) };
}

async function newPair(): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
}

async function storedPair(): Promise<CryptoKeyPair> {
  const db = await openDatabase();
  try {
    const held = await request<CryptoKeyPair | undefined>(db.transaction(STORE).objectStore(STORE).get("peer"));
    if (held) return held;
    const made = await newPair();
    await request(db.transaction(STORE, "readwrite").objectStore(STORE).put(made, "peer"));
    return made;
  } finally {
    db.close();
  }
}

function openDatabase(): Promise<IDBDatabase> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return request(opening);
}

function request<T>(r: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error ?? new Error("IndexedDB"));
  });
}
