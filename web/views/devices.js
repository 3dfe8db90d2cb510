// The devices that the second factor is not asked for on, and how to end that.

import { actionButton } from "../action.js";
import { device } from "../device.js";
import { el, row, unseen } from "../dom.js";
import { moment, t } from "../language.js";

export async function devices(app, page) {
  const { devices: all } = await app.client.devices();
  const forgetAll = async () => {
    const { forgotten } = await app.client.forgetAllDevices();
    app.notice(t("devices.forgotten", forgotten));
    app.reload();
  };
  page.show(() => ({
    title: t("devices"),
    body: [
      el("p", { class: "lead" }, t("devices.why")),
      el("div", { class: "card" }, all.length === 0
        ? el("p", null, t("devices.none"))
        : el("ul", { class: "things" }, ...all.map((one) => entry(app, one)))),
      all.length > 1 && actionButton(app, { label: t("devices.forget-all"), kind: "danger-line", run: forgetAll }),
    ],
  }));
}

function entry(app, one) {
  const name = device(one.user_agent);
  const forget = async () => {
    await app.client.forgetDevice(one.id);
    app.notice(t("device.forgotten"));
    app.reload();
  };
  return el("li", null,
    el("h2", { class: "as-h3" }, name, one.current && el("span", { class: "badge on" }, t("device.current"))),
    el("dl", null,
      row(t("device.since"), moment(one.created_at)),
      row(t("last-used"), moment(one.last_used_at)),
      row(t("device.until"), moment(one.expires_at)),
      row(t("session.from"), one.ip)),
    actionButton(app, { label: [t("device.forget"), unseen(`${name}, ${one.ip}`)], run: forget }));
}
