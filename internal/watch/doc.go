// Package watch is a viewer without a browser: the same ticket, session, links,
// deadlines and fallback as a page with a player, but a player that only keeps
// time. It measures what people would see: stalls, latency, time to the first
// frame, and where each byte came from.
//
// Invariants:
//   - what came as chunks was verified before it counts as played; plain HTTP
//     is trusted as far as a page trusts it, and Options.Check compares both;
//   - whatever fails, links, planner or script, the stream is played over HTTP;
//   - a player appends whole segments in order, as hls.js does: it starts three
//     target durations behind the live edge, and a stall is an empty buffer
//     while it plays. Low-latency parts are not asked for by themselves.
package watch
