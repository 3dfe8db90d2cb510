// The authenticator app of the client's tests, with a camera.

import jsqr from "jsqr";
import { PNG } from "pngjs";
import { Phone as App } from "../../clients/typescript/test/phone.mjs";

export class Phone extends App {
  /** Scans the picture as it is drawn on the screen. */
  static async scan(picture) {
    const { data, width, height } = PNG.sync.read(await picture.screenshot());
    const found = jsqr(new Uint8ClampedArray(data), width, height);
    if (!found) throw new Error("the picture holds no QR code that can be read");
    return new Phone(found.data);
  }
}
