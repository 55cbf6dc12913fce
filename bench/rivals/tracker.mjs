// tracker.mjs HOST PORT: p2p-media-loader's tracker, on this machine.
import Server from "bittorrent-tracker/server";

const [host, port] = process.argv.slice(2);
const server = new Server({ udp: false, http: false, ws: true, stats: false });
server.on("error", (e) => console.error(e.message));
server.on("warning", () => {});
server.listen(Number(port), host, () => console.log("tracking"));
