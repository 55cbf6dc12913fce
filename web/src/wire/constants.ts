// The constants of the protocol: the same as in package tuber.
export const CHUNK_SIZE = 16 << 10; // bytes of payload in a full chunk
export const MAX_RUN = 128; // chunks in a run
export const MAX_FRAME = 17 << 10; // bytes of one link message
export const MAX_CONTROL = 64 << 10; // bytes of one control message
export const MAX_ALIAS_RUNS = 1024; // of one alias: one chunk holds them
export const MAX_SEGMENT = 64 << 20; // bytes
export const MAX_PLAYLIST = 1 << 20; // bytes
export const MAX_URL = 2048; // bytes
export const MAX_HEADERS = 8;
export const MAX_HEADER_VALUE = 1024; // bytes
export const MAX_ASK = 128; // numbers in an ask or a missing
export const MAX_UPDATE = MAX_PLAYLIST + (64 << 10); // bytes of an update frame, parts joined
export const MAX_PARTITIONS = 8;
export const MAX_SIGNAL = 8 << 10; // bytes
export const VERSION = 1; // of the wire
export const OLDEST = 1; // version that this code understands
export const MAX_NUMBER = 2 ** 53 - 1; // counts above this are not exact here and are refused
