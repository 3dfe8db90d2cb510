// The links of our mails: /undo#TOKEN and /reminders#TOKEN. What stands behind the # is not sent to any server; it is
// taken out of the address at once, so that neither the history nor a glance at the screen has it.

let token = null;

/** Takes the token out of the address, and names the view of that link there instead. */
export function takeLink() {
  const view = /\/(undo|reminders)$/.exec(location.pathname)?.[1];
  // Views have addresses that begin with a slash, and tokens do not.
  if (!view || location.hash.startsWith("#/")) return;
  token = location.hash.slice(1) || null;
  history.replaceState(null, "", `#/${view}`);
}

/** The token, for as long as this page is open; null where none was in the address. */
export function linkToken() {
  return token;
}

/** It has done its work. */
export function forgetLink() {
  token = null;
}
