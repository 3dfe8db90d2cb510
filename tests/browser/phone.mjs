// The authenticator app of the client's tests, with a camera.

import { execFileSync } from "node:child_process";
import { Phone as App } from "../../clients/typescript/test/phone.mjs";

export class Phone extends App {
  /** Scans the picture as it is drawn on the screen. */
  static async scan(picture) {
    const input = await picture.screenshot();
    return new Phone(execFileSync("zbarimg", ["--quiet", "--raw", "-"], { input, encoding: "utf8" }).trim());
  }
}
