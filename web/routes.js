// Which address shows which view.

import { NetworkError } from "./client.js";

/** A part of the page did not arrive. The browser keeps that in mind: it is not asked for again before a reload. */
export class MissingPart extends NetworkError {}

/** Path, module and name of the view, and the tab that it belongs to; views without a tab are for those who are not signed in. */
const ROUTES = [
  ["", () => import("./views/overview.js"), "overview", "#/"],
  ["set-up", () => import("./views/set-up.js"), "setUp", "#/"],
  ["set-up/:kind", () => import("./views/set-up.js"), "setUp", "#/"],
  ["manage", () => import("./views/manage.js"), "manage", "#/"],
  ["manage/add", () => import("./views/set-up.js"), "add", "#/"],
  ["manage/add/:kind", () => import("./views/set-up.js"), "add", "#/"],
  ["manage/switch/:id", () => import("./views/set-up.js"), "change", "#/"],
  ["manage/switch/:id/:kind", () => import("./views/set-up.js"), "change", "#/"],
  ["manage/move/:id", () => import("./views/set-up.js"), "move", "#/"],
  ["manage/rename/:id", () => import("./views/rename.js"), "rename", "#/"],
  ["manage/remove/:id", () => import("./views/remove-method.js"), "removeMethod", "#/"],
  ["manage/recovery-codes", () => import("./views/recovery-codes.js"), "recoveryCodes", "#/"],
  ["manage/disable", () => import("./views/disable.js"), "disable", "#/"],
  ["log", () => import("./views/log.js"), "log", "#/log"],
  ["devices", () => import("./views/devices.js"), "devices", "#/sessions"],
  ["sessions", () => import("./views/sessions.js"), "sessions", "#/sessions"],
  ["password", () => import("./views/change-password.js"), "change", "#/password"],
  ["partners", () => import("./views/partners.js"), "partners", "#/"],
  ["sign-in", () => import("./views/sign-in.js"), "signIn", null],
  ["undo", () => import("./views/undo.js"), "undo", null],
  ["reminders", () => import("./views/reminders.js"), "reminders", null],
  ["second-factor", () => import("./views/second-factor.js"), "secondFactor", null],
];

/** An unknown address is the first page. */
export function find(hash) {
  const parts = hash.replace(/^#?\/?/, "").split("/");
  for (const [path, load, name, tab] of ROUTES) {
    const parameters = match(path.split("/"), parts);
    if (parameters) return { view: fetched(load, name), parameters, tab, isOpen: tab === null };
  }
  return find("");
}

/** A part of the page that is fetched when it is first wanted. */
export function part(load) {
  return load().catch(() => { throw new MissingPart("a part of the page did not arrive"); });
}

/** A view whose module is fetched when it is first wanted. */
function fetched(load, name) {
  return async (app, page, parameters) => {
    const views = await part(load);
    if (!page.isLeft) await views[name](app, page, parameters);
  };
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
