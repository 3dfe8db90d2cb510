// Where the tokens live. The access token stays in memory: nothing can read it later, and a reload gets a new one.
// The refresh token is kept in sessionStorage so that a reload does not sign the customer out. It belongs to this
// tab and goes with it; other tabs do not see it, as they would see localStorage. It is rotated on each use: a copy
// that is used too ends the session. A script that runs in this page could read it; that is what the strict
// Content-Security-Policy is there to prevent.

const PLACE = "twofold.refresh_token";

export class TabTokens {
  #tokens = null;

  load() {
    if (this.#tokens) return this.#tokens;
    const refresh_token = this.#kept();
    // Expired from the start: the client renews it before the first call.
    return refresh_token ? { access_token: "", refresh_token, expires_at: 0, acr: "aal1", amr: [] } : null;
  }

  save(tokens) {
    this.#tokens = tokens;
    try {
      if (tokens) sessionStorage.setItem(PLACE, tokens.refresh_token);
      else sessionStorage.removeItem(PLACE);
    } catch {
      // Storage is switched off: the session lives as long as the page.
    }
  }

  #kept() {
    try {
      return sessionStorage.getItem(PLACE);
    } catch {
      return null;
    }
  }
}

// The token of a remembered device outlives sessions and tabs, so it is kept in localStorage. Alone it opens nothing:
// it stands for the second factor beside the right password, once, and never for a change of two-factor authentication.

const DEVICE = "twofold.device_token";

export class DeviceToken {
  load() {
    try {
      return localStorage.getItem(DEVICE);
    } catch {
      return null;
    }
  }

  save(token) {
    try {
      localStorage.setItem(DEVICE, token);
    } catch {
      // Storage is switched off: the next sign-in asks for the second factor.
    }
  }
}
