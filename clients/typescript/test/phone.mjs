// An authenticator app. It never shows a code twice, because the service accepts none twice.

import { setTimeout as sleep } from "node:timers/promises";
import { TOTP, URI } from "otpauth";

const PERIOD = 30_000;
// A code of the step before is still accepted, unless that step ends while the code is on its way.
const TRAVEL = 5_000;

export class Phone {
  #last = 0;

  /** Takes the key URI, as from the QR code. */
  constructor(uri) {
    this.totp = URI.parse(uri);
    if (!(this.totp instanceof TOTP)) throw new Error("not a TOTP key");
  }

  /** The next code: of the window that the service accepts, one step either way. */
  async code() {
    const now = Date.now();
    const earliest = Math.floor((now - PERIOD + TRAVEL) / PERIOD);
    const step = Math.max(earliest, this.#last + 1);
    this.#last = step;
    const early = (step - 1) * PERIOD - now;
    if (early > 0) await sleep(early + 100);
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
