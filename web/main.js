// The entry: everything else hangs on this one element.

import { speakFirst } from "./language.js";
import { AccountSecurity } from "./security.js";

await speakFirst();
customElements.define("twofold-security", AccountSecurity);
