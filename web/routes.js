// Which address shows which view.

import { change } from "./views/change-password.js";
import { disable } from "./views/disable.js";
import { log } from "./views/log.js";
import { manage } from "./views/manage.js";
import { overview } from "./views/overview.js";
import { recoveryCodes } from "./views/recovery-codes.js";
import { removeMethod } from "./views/remove-method.js";
import { rename } from "./views/rename.js";
import { secondFactor } from "./views/second-factor.js";
import { sessions } from "./views/sessions.js";
import { add, move, setUp } from "./views/set-up.js";
import { signIn } from "./views/sign-in.js";

/** Path, view, and the tab that it belongs to; views without a tab are for those who are not signed in. */
const ROUTES = [
  ["", overview, "#/"],
  ["set-up", setUp, "#/"],
  ["manage", manage, "#/"],
  ["manage/add", add, "#/"],
  ["manage/move/:id", move, "#/"],
  ["manage/rename/:id", rename, "#/"],
  ["manage/remove/:id", removeMethod, "#/"],
  ["manage/recovery-codes", recoveryCodes, "#/"],
  ["manage/disable", disable, "#/"],
  ["log", log, "#/log"],
  ["sessions", sessions, "#/sessions"],
  ["password", change, "#/password"],
  ["sign-in", signIn, null],
  ["second-factor", secondFactor, null],
];

/** An unknown address is the first page. */
export function find(hash) {
  const parts = hash.replace(/^#?\/?/, "").split("/");
  for (const [path, view, tab] of ROUTES) {
    const parameters = match(path.split("/"), parts);
    if (parameters) return { view, parameters, tab, isOpen: tab === null };
  }
  return { view: overview, parameters: {}, tab: "#/", isOpen: false };
}

function match(pattern, parts) {
  if (pattern.length !== parts.length) return null;
  const parameters = {};
  for (const [index, name] of pattern.entries()) {
    if (name.startsWith(":")) parameters[name.slice(1)] = parts[index];
    else if (name !== parts[index]) return null;
  }
  return parameters;
}
