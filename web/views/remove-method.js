// One authenticator of several is taken away; the account stays protected by the others.

import { el } from "../dom.js";
import { passwordField, proofField, wantsCode } from "../fields.js";
import { form } from "../form.js";
import { t } from "../language.js";

export async function removeMethod(app, page, { id }) {
  const status = await app.client.status();
  const method = status.methods.find((one) => one.id === id);
  if (!method || status.methods.length < 2) return app.replace("#/manage");
  page.show(() => {
    const fields = [passwordField()];
    // Taking one away asks for the same proofs as adding one.
    if (wantsCode(status.actions.add)) fields.push(proofField());
    const send = async (values) => {
      await app.client.removeMethod(id, values);
      app.notice(t("remove.done", method.label));
      app.replace("#/manage");
    };
    const body = form(app, { fields, label: t("remove"), submit: t("remove"), kind: "danger", cancel: "#/manage", send });
    return { title: t("remove.title", method.label), body: [el("p", { class: "lead" }, t("remove.why")), el("div", { class: "card narrow" }, body)] };
  });
}
