// The security log, newest first, a page at a time.

import { actionButton } from "../action.js";
import { el } from "../dom.js";
import { device } from "../device.js";
import { hasText, moment, t } from "../language.js";

const PAGE = 20;

export async function log(app, page) {
  const first = await app.client.events({ limit: PAGE });
  const events = [...first.events];
  let cursor = first.next_cursor;
  page.show(() => {
    const list = el("ol", { class: "things log" }, ...events.map(entry));
    const more = el("div");
    const draw = () => more.replaceChildren(cursor ? actionButton(app, { label: t("log.more"), run, isChange: false }) : el("p", { class: "small" }, t("log.end")));
    const run = async () => {
      const next = await app.client.events({ cursor, limit: PAGE });
      events.push(...next.events);
      cursor = next.next_cursor;
      const entries = next.events.map(entry);
      list.append(...entries);
      draw();
      // The button is at the end of the list now, or gone: the reader goes on with the first new entry.
      (entries[0] ?? list.lastElementChild)?.focus();
    };
    draw();
    return { title: t("log"), body: [el("p", { class: "lead" }, t("log.why")), el("div", { class: "card" }, list, more)] };
  });
}

function entry(event) {
  const key = `event.${event.type}`;
  const label = typeof event.details?.label === "string" ? ` “${event.details.label}”` : "";
  const { reason, ticket } = event.actor.kind === "support" ? event.details : {};
  return el("li", { tabindex: "-1" },
    el("h2", { class: "as-h3" }, hasText(key) ? t(key) : event.type, label),
    el("p", { class: "small" }, moment(event.at), " · ", device(event.user_agent), " · ", event.ip,
      event.actor.kind === "owner" ? null : ` · ${hasText(`actor.${event.actor.kind}`) ? t(`actor.${event.actor.kind}`) : event.actor.kind}`),
    reason ? el("p", { class: "small" }, `“${reason}” · ${ticket}`) : null);
}
