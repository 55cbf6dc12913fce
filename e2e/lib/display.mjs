// A screen that nobody sees: Xvfb, for browsers in real windows.
import { execFileSync, spawn } from "node:child_process";

// screen starts one and returns its name, such as ":7", with shot(file), which
// takes a picture of all of it.
export async function screen(t, { width = 1280, height = 800 } = {}) {
  const child = spawn("Xvfb", ["-displayfd", "1", "-screen", "0", `${width}x${height}x24`, "-nolisten", "tcp"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (b) => { said += b; });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  t.after(async () => { child.kill(); await ended; });
  const number = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (b) => { text += b; if (text.endsWith("\n")) resolve(text.trim()); });
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`Xvfb ended with ${code}: ${said}`)));
  });
  const display = ":" + number;
  return {
    display,
    shot: (file) => execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", "-f", "x11grab", "-video_size", `${width}x${height}`, "-i", display, "-frames:v", "1", file]),
  };
}
