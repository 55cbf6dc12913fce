// Other forms of the demo's clip, made by ffmpeg at the first need and kept in
// the system's temporary folder: renditions, fMP4.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { clip } from "./programs.mjs";

export const segments = clip.length;

// made runs ffmpeg on the whole clip, once for these arguments; OUT in them
// stands for the folder whose path is returned.
export function made(args) {
  const key = createHash("sha256").update(JSON.stringify(args));
  for (const s of clip) key.update(s);
  const dir = join(tmpdir(), "tuber-e2e-media-" + key.digest("hex").slice(0, 16));
  if (existsSync(dir)) return dir;
  const part = mkdtempSync(dir + "-");
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-copyts", "-i", "pipe:0", ...args.map((a) => a.replace("OUT", part))],
    { input: Buffer.concat(clip), maxBuffer: 1 << 28 });
  try {
    renameSync(part, dir);
  } catch {
    rmSync(part, { recursive: true }); // another test was quicker
  }
  return dir;
}

// rendition is the clip in another size and rate, as as many MPEG-TS segments; with
// fps, of so many pictures a second.
export function rendition(width, kbits, fps) {
  const dir = made(["-vf", `${fps ? `fps=${fps},` : ""}scale=${width}:-2`, "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline",
    "-b:v", `${kbits - 50}k`, "-maxrate", `${kbits - 50}k`, "-bufsize", `${kbits}k`, "-g", "1000", "-force_key_frames", "expr:gte(t,n_forced*2)",
    "-sc_threshold", "0", "-c:a", "aac", "-b:a", "32k", "-f", "segment", "-segment_time", "2", "-segment_format", "mpegts",
    "-segment_format_options", "mpegts_copyts=1", "OUT/%d.ts"]);
  return Array.from({ length: segments }, (_, n) => readFileSync(join(dir, `${n}.ts`)));
}

// fragmented is the clip as fMP4: {init, segments}.
export function fragmented() {
  const dir = made(["-c", "copy", "-bsf:a", "aac_adtstoasc", "-f", "hls", "-hls_time", "2", "-hls_segment_type", "fmp4", "-hls_list_size", "0",
    "-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", "OUT/%d.m4s", "OUT/index.m3u8"]);
  const read = (name) => readFileSync(join(dir, name));
  return { init: read("init.mp4"), segments: Array.from({ length: segments }, (_, n) => read(`${n}.m4s`)) };
}
