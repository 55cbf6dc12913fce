// `tuber demo` in a terminal: a pseudo-terminal of script(1), keys pressed, and
// the status line read as a person reads it.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { folder, tuber } from "./lib/programs.mjs";
import { until } from "./lib/browser.mjs";

// terminal runs a command in one; .screen() is its text since the last key.
function terminal(t, command) {
  const child = spawn("script", ["-qfec", command, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"], cwd: folder(t) });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  let text = "";
  let from = 0;
  child.stdout.on("data", (b) => { text += b; });
  t.after(async () => { child.kill(); await ended; });
  return {
    ended,
    text: () => text,
    screen: () => text.slice(from),
    press(key) {
      from = text.length;
      child.stdin.write(key);
    },
  };
}

test("b, p and q in a terminal", async (t) => {
  const demo = terminal(t, `'${tuber}' demo --listen 127.0.0.1:0 --viewers 1`);
  const shows = (re, seconds = 60) => until(`the terminal shows ${re}`, seconds, () => re.test(demo.screen()) || demo.screen().slice(-300) && false);
  await shows(/Keys: b kills or starts the booster, p stops or starts the planner, q quits\./);
  await shows(/1 tab of 1 viewer \| 1 booster \| \d+ % from peers \| host sends [^|]*the stream's [\d.]+ [kM]bit\/s\x1b\[K\r/);

  demo.press("b");
  await shows(/The booster is killed; press b to start it again\./);
  await shows(/1 tab of 1 viewer \| 0 boosters \| /);
  demo.press("b");
  await shows(/The booster starts again\./);
  await shows(/1 tab of 1 viewer \| 1 booster \| /);

  demo.press("p");
  await shows(/The planner is stopped: links live on; press p to start it again\./);
  await shows(/\| planner stopped\x1b\[K\r/);
  demo.press("p");
  await shows(/The planner starts again\./);
  await shows(/1 tab of 1 viewer \| 1 booster \| /);
  assert.ok(!/planner stopped/.test(demo.screen().slice(-80)), "it runs");
  assert.equal(demo.text().split("\n").filter((line) => /\| \d+ % from peers/.test(line)).length < 12, true, "one line, written anew");

  demo.press("x"); // means nothing
  demo.press("q");
  assert.equal(await demo.ended, 0, demo.screen());
});
