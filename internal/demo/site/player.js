// The player of the sample site: hls.js as its manual shows it, and three figures.
"use strict";
const video = document.getElementById("video");
const show = (id, text) => { document.getElementById(id).textContent = text; };
const source = "/live/index.m3u8";
let hls = null;
if (window.Hls && Hls.isSupported()) {
  hls = new Hls({ liveSyncDurationCount: 3 });
  hls.loadSource(source);
  hls.attachMedia(video);
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
    else setTimeout(() => { hls.loadSource(source); }, 1000);
  });
} else {
  video.src = source;
}
let stalls = 0;
let playing = false;
video.addEventListener("playing", () => { playing = true; });
video.addEventListener("waiting", () => { if (playing && !video.seeking) { stalls++; show("stalls", String(stalls)); } });
setInterval(() => {
  const b = video.buffered;
  show("buffered", b.length ? Math.max(0, b.end(b.length - 1) - video.currentTime).toFixed(1) + " s" : "\u2013");
  show("latency", hls && hls.latency ? hls.latency.toFixed(1) + " s" : "\u2013");
}, 500);
window.figures = () => ({ stalls, latency: hls ? hls.latency : 0, time: video.currentTime, playing });
