// The Account Security tab: how the account stands, and the one thing to do next.

import { card, el, linkButton, row } from "../dom.js";
import { moment, momentText, t } from "../language.js";

export async function overview(app, page) {
  const account = await app.client.overview();
  page.show(() => ({ title: t("security"), body: [protection(account.two_factor), details(account)] }));
}

function protection(status) {
  const { setup, manage } = status.actions;
  const badge = el("span", { class: `badge ${status.enabled ? "on" : "off"}` }, t(status.enabled ? "on" : "off"));
  return card(t("two-factor"),
    el("p", { class: "standing" }, badge, " ", status.enabled ? t("on.since", momentText(status.since)) : t("off.now")),
    el("p", null, t(status.enabled ? "on.means" : "off.means")),
    !status.enabled && status.disabled_at && el("p", { class: "small" }, t("off.since", momentText(status.disabled_at))),
    !status.enabled && status.reminder_at && el("p", { class: "small" }, t("reminder", momentText(status.reminder_at))),
    status.restricted_until && el("p", { class: "small" }, t("held", momentText(status.restricted_until))),
    status.enabled && status.recovery_codes?.remaining <= 3 && el("p", { class: "alert mild" }, t("codes.few", status.recovery_codes.remaining)),
    el("div", { class: "buttons" },
      setup.allowed && linkButton("#/set-up", "main", t("set-up")),
      manage.allowed && linkButton("#/manage", "main", t("manage"))));
}

function details(account) {
  return card(t("account"),
    el("dl", null,
      row(t("email"), account.email),
      row(t("password.changed"), moment(account.password_changed_at), " ", el("a", { href: "#/password" }, t("password.change"))),
      row(t("two-factor"), account.two_factor.enabled ? t("on.since", momentText(account.two_factor.since)) : t("off")),
      row(t("sessions"), t("sessions.count", account.sessions), " ", el("a", { href: "#/sessions" }, t("sessions.see"))),
      row(t("partners"), el("a", { href: "#/partners" }, t("partners.see")))));
}
