// Where the account is signed in, and how to end that.

import { actionButton } from "../action.js";
import { el, row, unseen } from "../dom.js";
import { device } from "../device.js";
import { moment, t } from "../language.js";

export async function sessions(app, page) {
  const all = (await app.client.sessions()).sessions;
  const endOthers = async () => {
    const { ended } = await app.client.endOtherSessions();
    app.notice(t("sessions.ended", ended));
    app.reload();
  };
  page.show(() => ({
    title: t("sessions"),
    body: [
      el("p", { class: "lead" }, t("sessions.why"), " ", el("a", { href: "#/devices" }, t("devices.see"))),
      el("div", { class: "card" }, el("ul", { class: "things" }, ...all.map((session) => entry(app, session)))),
      all.length > 1 && actionButton(app, { label: t("sessions.end-others"), kind: "danger-line", run: endOthers }),
    ],
  }));
}

function entry(app, session) {
  const name = device(session.user_agent);
  const end = async () => {
    await app.client.endSession(session.id);
    app.notice(t("session.ended"));
    app.reload();
  };
  return el("li", null,
    el("h2", { class: "as-h3" }, name, session.current && el("span", { class: "badge on" }, t("session.current"))),
    el("dl", null,
      row(t("session.began"), moment(session.created_at)),
      row(t("session.seen"), moment(session.last_seen_at)),
      row(t("session.from"), session.ip),
      row(t("session.proved"), t(`acr.${session.acr}`))),
    !session.current && actionButton(app, { label: [t("session.end"), unseen(`${name}, ${session.ip}`)], run: end }));
}
