// Package gateway is a way in: it answers STUN Binding requests so that peers
// learn how the world sees them (RFC 8489), and it asks the router to map the
// peer's one UDP port (UPnP IGD version 1 and 2, NAT-PMP of RFC 6886).
//
// Invariants:
//   - nothing is relayed: of STUN only Binding is answered, never Allocate or
//     any other method of TURN;
//   - a reply is at most 32 bytes over IPv4 and 44 over IPv6, and at most ten
//     a second go to one source, so the server is no use for reflection;
//   - memory is fixed, whatever arrives; what is malformed is ignored in silence;
//   - a mapping is leased, renewed while Run runs, and taken back when it ends;
//   - no address of a client is kept or logged.
package gateway
