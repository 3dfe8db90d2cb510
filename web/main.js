// The entry: everything else hangs on this one element.

import { speakFirst } from "./language.js";
import { takeLink } from "./link.js";
import { AccountSecurity } from "./security.js";

takeLink();
await speakFirst();
customElements.define("twofold-security", AccountSecurity);
