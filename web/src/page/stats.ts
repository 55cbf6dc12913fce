/** What the page counts, for reports and for window.tuber.stats(). */
export class Stats {
  peers = 0; // payload bytes verified from links
  httpChunks = 0; // payload bytes of chunks fetched by HTTP
  plain = 0; // bytes of plain HTTP responses, where their length is known
  sent = 0; // payload bytes sent to links
  answered = 0; // bytes given to players
  stalls = 0;
  verified = 0; // chunks
  bad = 0; // chunks that failed verification
  duplicates = 0; // chunks that were held already
}
