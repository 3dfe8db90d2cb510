// The entry: everything else hangs on this one element.

import { AccountSecurity } from "./security.js";

customElements.define("twofold-security", AccountSecurity);
