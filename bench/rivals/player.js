// The player of the comparison, and what it saw. Settings come in the query:
// sync (segments behind the live edge), and for p2p-media-loader tracker and
// demand (its highDemandTimeWindow, seconds).
const query = new URLSearchParams(location.search);
const video = document.getElementById("video");
const seen = { stalls: 0, stalled: 0, playing: false, http: 0, p2p: 0, first: 0, began: 0 };
let since = 0;
const resume = () => {
  if (since) seen.stalled += performance.now() - since;
  since = 0;
  seen.playing = true;
};
video.addEventListener("playing", resume);
video.addEventListener("timeupdate", () => { if (since && video.readyState > 2) resume(); });
video.addEventListener("waiting", () => {
  if (!seen.playing || video.seeking || since) return;
  seen.stalls++;
  since = performance.now();
});
video.requestVideoFrameCallback((now) => { seen.first = now; });

const config = { enableWorker: false, liveSyncDurationCount: Number(query.get("sync") ?? 3) };
let Player = window.Hls;
if (location.pathname === "/p2pml") {
  const { HlsJsP2PEngine } = await import("p2p-media-loader-hlsjs");
  Player = HlsJsP2PEngine.injectMixin(window.Hls);
  const core = { swarmId: "bench", announceTrackers: [query.get("tracker")], rtcConfig: { iceServers: [] } };
  if (query.has("demand")) core.highDemandTimeWindow = Number(query.get("demand"));
  config.p2p = { core, onHlsJsCreated: (hls) => {
    hls.p2pEngine.addEventListener("onChunkDownloaded", (bytes, source) => { seen[source === "p2p" ? "p2p" : "http"] += bytes; });
  } };
}
const hls = new Player(config);
hls.on(Hls.Events.ERROR, (_, data) => {
  if (!data.fatal) return;
  if (data.type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
  else setTimeout(() => hls.loadSource("/live/index.m3u8"), 1000);
});
hls.loadSource("/live/index.m3u8");
hls.attachMedia(video);
window.figures = () => ({ ...seen, stalled: seen.stalled + (since ? performance.now() - since : 0), latency: hls.latency, time: video.currentTime });
