// A new authenticator: the first (set up), one more (add), one of the same kind in place of another (move), or one of
// another kind (switch). Which kind it is to be is asked for where there is a choice.

import { el } from "../dom.js";
import { passwordField, proofField, textField, wantsCode } from "../fields.js";
import { form } from "../form.js";
import { chooser, offeredKinds } from "../kinds.js";
import { t } from "../language.js";
import { recoverySheet } from "../recovery-sheet.js";
import { begin } from "./enrolment-steps.js";

export function setUp(app, page, { kind }) {
  return enrol(app, page, { words: "set-up", action: "setup", home: "#/", path: "#/set-up", steps: 3, kind });
}

export function add(app, page, { kind }) {
  return enrol(app, page, { words: "add", action: "add", home: "#/manage", path: "#/manage/add", steps: 2, kind });
}

export function move(app, page, { id }) {
  return enrol(app, page, { words: "move", action: "replace", home: "#/manage", steps: 3, replaces: id });
}

export function change(app, page, { id, kind }) {
  return enrol(app, page, { words: "switch", action: "replace", home: "#/manage", path: `#/manage/switch/${id}`, steps: 2, replaces: id, kind });
}

async function enrol(app, page, plan) {
  const account = await app.client.overview();
  const status = account.two_factor;
  const old = status.methods.find((method) => method.id === plan.replaces);
  const may = status.actions[plan.action];
  if (!may.allowed || (plan.replaces && !old)) {
    return app.replace(status.actions.manage.allowed ? "#/manage" : "#/");
  }
  const kinds = choices(plan, { status, old });
  const kind = plan.kind ?? (kinds.length === 1 ? kinds[0] : null);
  if (kinds.length === 0 || (kind && !kinds.includes(kind))) return app.replace(plan.home);
  // Only an app moves to another phone.
  const words = plan.words === "move" && kind !== "totp" ? "replace" : plan.words;
  page.show(() => (kind ? start(app, page, { ...plan, words, kind, account, may, old }) : choice(plan, { kinds, old })));
}

/** A move stays with its kind, a switch does not; else it is the customer's to say. */
function choices({ words }, { status, old }) {
  const kinds = offeredKinds(status);
  if (words === "move") return kinds.filter((kind) => kind === old.type);
  return words === "switch" ? kinds.filter((kind) => kind !== old.type) : kinds;
}

function choice(plan, { kinds, old }) {
  return {
    title: t(plan.words),
    body: [el("p", { class: "lead" }, old ? t("switch.why", old.label) : t("choose.why")), chooser(kinds, plan.path)],
  };
}

function start(app, page, plan) {
  return {
    title: t(plan.words),
    body: [
      el("p", { class: "step" }, t("step", 1, plan.steps, t("step.start"))),
      // What an app is for is said where the customer has set up no other kind.
      el("p", { class: "lead" }, plan.kind === "totp" || plan.old ? t(`${plan.words}.why`, plan.old?.label) : t(`kind.${plan.kind}.what`)),
      el("div", { class: "card narrow" }, startForm(app, page, plan)),
    ],
  };
}

function startForm(app, page, plan) {
  const label = textField({ name: "label", label: t("label"), hint: t("label.hint.optional"), autocomplete: "off", maxlength: "64" });
  const phone = textField({ name: "phone", label: t("phone"), hint: t("phone.hint"), empty: t("phone.empty"), type: "tel", autocomplete: "tel" });
  const fields = [label, ...(plan.kind === "sms" ? [phone] : []), passwordField()];
  if (wantsCode(plan.may)) fields.push(proofField());
  return form(app, {
    fields,
    label: t(plan.words),
    submit: t("continue"),
    cancel: plan.home,
    send: async (values) => {
      const replaces = plan.replaces ? { replaces: plan.replaces } : {};
      await begin(app, page, plan, { ...values, ...replaces }, (codes) => done(app, page, plan, codes));
    },
  });
}

/** The address of the set-up is left behind: the back button finds neither codes nor a half-done enrolment. */
function done(app, page, plan, codes) {
  const next = () => {
    app.notice(t(`${plan.words}.done`));
    app.replace("#/manage");
  };
  if (!codes) return next();
  page.show(recoverySheet(app, page, codes, { email: plan.account.email, next, step: plan.steps, hadCodes: plan.account.two_factor.enabled }));
}
