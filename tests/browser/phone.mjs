// An authenticator app. It never shows a code twice, because the service accepts none twice.

import { setTimeout as until } from "node:timers/promises";
import jsqr from "jsqr";
import { TOTP, URI } from "otpauth";
import { PNG } from "pngjs";

const PERIOD = 30_000;
// A code of the step before is still accepted, unless that step ends while it is typed.
const TYPING = 8_000;

export class Phone {
  #last = 0;

  constructor(uri) {
    this.uri = uri;
    this.totp = URI.parse(uri);
    if (!(this.totp instanceof TOTP)) throw new Error("not a TOTP key");
  }

  /** Scans the picture as it is drawn on the screen. */
  static async scan(picture) {
    const { data, width, height } = PNG.sync.read(await picture.screenshot());
    const found = jsqr(new Uint8ClampedArray(data), width, height);
    if (!found) throw new Error("the picture holds no QR code that can be read");
    return new Phone(found.data);
  }

  /** The next code of the window that the service accepts, one step either way; the fourth in a row has to come first. */
  async code() {
    const now = Date.now();
    const step = Math.max(Math.floor((now - PERIOD + TYPING) / PERIOD), this.#last + 1);
    this.#last = step;
    const early = (step - 1) * PERIOD - now;
    if (early > 0) await until(early + 100);
    return this.totp.generate({ timestamp: step * PERIOD });
  }

  /** A code that is right at no moment near now. */
  wrongCode() {
    const near = [-2, -1, 0, 1, 2].map((step) => this.totp.generate({ timestamp: Date.now() + step * PERIOD }));
    for (let number = 0; ; number++) {
      const code = String(number).padStart(6, "0");
      if (!near.includes(code)) return code;
    }
  }
}
