// Package wire puts Tuber into words: the control messages between a peer and
// its planner, and the frames between two peers. It holds no state and does no
// I/O. The TypeScript in web/src/wire says the same; one corpus of vectors,
// testdata/vectors, holds both to it, malformed messages included.
//
// # Control
//
// One JSON object per WebSocket message, Server-Sent Event or line of a POST (see
// control.Events), at most tuber.MaxControl bytes, with its name in "type": challenge, join, welcome, refused, contents, want, plan,
// change, signal, report, means, alive, leave, quarantine, withdraw. WebSocket messages may be
// compressed, each by itself (RFC 7692). Ids are hexadecimal, keys,
// signatures and bytes unpadded base64url, rates bits per second, durations
// nanoseconds, moments milliseconds on the origin's clock. Unknown fields are
// ignored, and so are messages of an unknown type.
//
//	planner                               peer
//	challenge (nonce, key, certificate)  ->
//	                                     <- join (key, signature over the nonce, ticket or secret)
//	welcome (signature over join.nonce)  ->
//	contents, plan, signal, withdraw    <->  want, signal, report, means, alive, leave
//	change, in place of a plan           ->  (a peer whose join says that it understands changes)
//
// # Links
//
// A link has two DataChannels: "ctl", ordered and reliable, and "data",
// unordered and reliable. One message is one frame of at most tuber.MaxFrame
// bytes; the type byte comes first; numbers are big-endian; bytes after the
// last field are ignored, and so are frames of an unknown type.
//
//	hello   0x01 ctl   version 2 | features 4 | role 1 | site key 32 | peer key 32 | signature 64
//	update  0x02 ctl   update 2+n | flags 1 | from 4 | to 4 | head 4+n | tail 4+n | manifest count 1, each 2+n
//	range   0x03 ctl   content 16 | partitions 1 | first 8 | next 8
//	ask     0x04 ctl   content 16 | within 4 (ms) | count 1, each number 8
//	missing 0x05 ctl   content 16 | count 1, each number 8
//	part    0x06 ctl   flags 1 | bytes         a piece of a ctl frame over tuber.MaxFrame
//	ping    0x07 ctl   flags 1 | id 4          flags bit 0: this is the answer
//	bye     0x08 ctl   code 1 | reason 1+n
//	past    0x09 ctl   content 16 | partitions 1 | from 8     send me what you have, from this number on
//	enough  0x0A ctl   content 16 | partition 1 | from 8      it comes from elsewhere, from this number on
//	have    0x0B ctl   content 16 | count 1, each number 8    they came from elsewhere: not to be sent
//	chunk   0x10 data  content 16 | n 8 | flags 1 | payload (1 to 16384)
//
// The hello's signature covers site key 32, the signer's DTLS fingerprint 32
// and the other's 32. The first frame on a link is each side's hello; until it
// was proved nothing else is read. In update, flags bit 0 says that an edit is
// there: from, to, head and tail are tuber.Edit.
//
// # Aliases
//
// A low-latency segment is its parts: they are cut as they are made, and later
// the run whose URL is "/.tuber/alias" and the segment's URL carries, as its one
// chunk, a tuber.Alias: the numbers of the parts' runs. Peers hold and pass it on
// as any other; who does not know it asks for the segment over HTTP.
//
// # Chunks over HTTP
//
// GET PREFIX chunks/CONTENT?list=7,9-12 or ?partitions=5&from=7&to=90 answers a
// stream of records, each a 4-byte length and a frame: an update frame with the
// manifests needed (without an edit), then chunk frames in ascending order.
// What the server does not hold is left out.
//
// Version log: 1, the first.
package wire

// Version is the wire version that this code speaks; Oldest is the oldest it understands.
const (
	Version = 1
	Oldest  = 1
)
