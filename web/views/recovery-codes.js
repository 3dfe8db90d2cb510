// A new set of recovery codes; the old set dies with it.

import { el } from "../dom.js";
import { passwordField, proofField, wantsCode } from "../fields.js";
import { form } from "../form.js";
import { t } from "../language.js";
import { recoverySheet } from "../recovery-sheet.js";

export async function recoveryCodes(app, page) {
  const { email, two_factor: status } = await app.client.overview();
  const may = status.actions.regenerate_recovery_codes;
  if (!may.allowed) return app.replace("#/manage");
  page.show(() => {
    const fields = [passwordField()];
    if (wantsCode(may)) fields.push(proofField());
    const next = () => {
      app.notice(t("codes.new.done"));
      app.replace("#/manage");
    };
    const send = async (values) => {
      page.show(recoverySheet(app, page, await app.client.regenerateRecoveryCodes(values), { email, next, hadCodes: true }));
    };
    const body = form(app, { fields, label: t("codes.new"), submit: t("codes.new"), cancel: "#/manage", send });
    return { title: t("codes.new"), body: [el("p", { class: "lead" }, t("codes.new.why")), el("div", { class: "card narrow" }, body)] };
  });
}
