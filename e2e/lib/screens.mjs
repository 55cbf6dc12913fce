// What a page shows: pictures of it, and QR codes read from them.
import { createRequire } from "node:module";

const jsQR = createRequire(import.meta.url)("jsqr");

// readCode decodes the QR code that an element shows on screen.
export async function readCode(page, selector) {
  const element = await page.$(selector);
  const shot = await element.screenshot({ encoding: "base64" });
  const blank = await page.browser().newPage();
  try {
    const { data, width, height } = await blank.evaluate(async (png) => {
      const image = new Image();
      image.src = "data:image/png;base64," + png;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
      canvas.drawImage(image, 0, 0);
      return { data: [...canvas.getImageData(0, 0, image.width, image.height).data], width: image.width, height: image.height };
    }, shot);
    return jsQR(Uint8ClampedArray.from(data), width, height)?.data ?? null;
  } finally {
    await blank.close();
  }
}

export const text = (page, selector) => page.$eval(selector, (e) => e.textContent);
export const shown = (page, selector) => page.$eval(selector, (e) => e.getClientRects().length > 0);
