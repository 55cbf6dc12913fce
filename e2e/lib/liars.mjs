// Viewers whose page falsifies the chunks it sends.

// lying is run in the page before anything else. Of its chunks, each way takes
// its turn: altered, cut short, another chunk's number, another chunk's bytes.
export const lying = (ways = ["altered", "short", "renumbered", "old"]) => `(${falsify})(${JSON.stringify(ways)})`;

function falsify(ways) {
  const send = RTCDataChannel.prototype.send;
  let turn = 0;
  let old = null;
  window.lies = 0;
  RTCDataChannel.prototype.send = function (data) {
    const b = data instanceof ArrayBuffer ? new Uint8Array(data) : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : null;
    if (!b || b[0] !== 0x10) return send.call(this, data);
    let lie = b.slice();
    switch (ways[turn++ % ways.length]) {
      case "altered": lie[lie.length - 1] ^= 1; break;
      case "short": lie = lie.slice(0, lie.length - 1); break;
      case "renumbered": lie[24] ^= 1; break; // the number's last byte
      case "old":
        if (old) lie.set(old.subarray(26, Math.min(old.length, lie.length)), 26);
        else lie[30] ^= 1;
    }
    old = b.slice();
    window.lies++;
    return send.call(this, lie);
  };
}

// lies is how many all of them told.
export const lies = async (pages) =>
  (await Promise.all(pages.map((p) => p.evaluate(() => window.lies)))).reduce((a, b) => a + b, 0);
