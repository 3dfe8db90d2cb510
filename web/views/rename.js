// Another name for an authenticator.

import { el } from "../dom.js";
import { textField } from "../fields.js";
import { form } from "../form.js";
import { t } from "../language.js";

export async function rename(app, page, { id }) {
  const method = (await app.client.status()).methods.find((one) => one.id === id);
  if (!method) return app.replace("#/manage");
  page.show(() => {
    const label = textField({ name: "label", label: t("label"), hint: t("label.hint"), empty: t("label.empty"), autocomplete: "off", maxlength: "64", value: method.label });
    const send = async (values) => {
      await app.client.renameMethod(id, values.label);
      app.notice(t("rename.done"));
      app.replace("#/manage");
    };
    const body = form(app, { fields: [label], label: t("rename"), submit: t("rename.save"), cancel: "#/manage", send });
    return { title: t("rename.title", method.label), body: [el("div", { class: "card narrow" }, body)] };
  });
}
