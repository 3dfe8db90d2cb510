// Which partners see the account, and how to take that back.

import { actionButton } from "../action.js";
import { el, row, unseen } from "../dom.js";
import { moment, t } from "../language.js";

export async function partners(app, page) {
  const { partners: all } = await app.client.partners();
  // Who was just shut out is listed until the view is left: a slip is mended at once.
  const refused = new Set();
  const draw = () => page.show(() => ({
    title: t("partners"),
    body: [
      el("p", { class: "lead" }, t("partners.why")),
      el("div", { class: "card" }, all.length === 0
        ? el("p", null, t("partners.none"))
        : el("ul", { class: "things" }, ...all.map((partner) => entry(app, partner, { isRefused: refused.has(partner.id), decide: () => decide(partner) })))),
    ],
  }));
  const decide = async (partner) => {
    if (refused.has(partner.id)) {
      await app.client.allowPartner(partner.id);
      refused.delete(partner.id);
      app.notice(t("partner.allowed", partner.name));
    } else {
      await app.client.refusePartner(partner.id);
      refused.add(partner.id);
      app.notice(t("partner.refused", partner.name));
    }
    draw();
  };
  draw();
}

function entry(app, partner, { isRefused, decide }) {
  const may = partner.scopes.map((scope) => el("li", null, t(`scope.${scope}`)));
  const label = [t(isRefused ? "partner.allow" : "partner.refuse"), unseen(partner.name)];
  return el("li", null,
    el("h2", { class: "as-h3" }, partner.name, isRefused && el("span", { class: "badge off" }, t("partner.out"))),
    el("dl", null,
      row(t("partner.may"), el("ul", null, ...may)),
      row(t("partner.since"), moment(partner.since)),
      row(t("partner.by"), t(`partner.by.${partner.by}`))),
    partner.can_withdraw
      ? actionButton(app, { label, kind: isRefused ? "quiet" : "danger-line", run: decide })
      : el("p", { class: "small" }, t("partner.fixed")));
}
