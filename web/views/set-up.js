// A new authenticator: the first (set up), one more (add), or one in place of another (move to a new phone).

import { el } from "../dom.js";
import { codeField, passwordField, proofField, textField, wantsCode } from "../fields.js";
import { form } from "../form.js";
import { t } from "../language.js";
import { recoverySheet } from "../recovery-sheet.js";
import { scanCard } from "../scan-card.js";

export function setUp(app, page) {
  return enrol(app, page, { words: "set-up", action: "setup", home: "#/", steps: 3 });
}

export function add(app, page) {
  return enrol(app, page, { words: "add", action: "add", home: "#/manage", steps: 2 });
}

export function move(app, page, { id }) {
  return enrol(app, page, { words: "move", action: "replace", home: "#/manage", steps: 3, replaces: id });
}

async function enrol(app, page, plan) {
  const account = await app.client.overview();
  const status = account.two_factor;
  const old = status.methods.find((method) => method.id === plan.replaces);
  const may = status.actions[plan.action];
  if (!may.allowed || (plan.replaces && !old)) {
    return app.replace(status.actions.manage.allowed ? "#/manage" : "#/");
  }
  page.show(() => ({
    title: t(plan.words),
    body: [
      el("p", { class: "step" }, t("step", 1, plan.steps, t("step.start"))),
      el("p", { class: "lead" }, t(`${plan.words}.why`, old?.label)),
      el("div", { class: "card narrow" }, startForm(app, page, { ...plan, account, may })),
    ],
  }));
}

function startForm(app, page, plan) {
  const label = textField({ name: "label", label: t("label"), hint: t("label.hint.optional"), autocomplete: "off", maxlength: "64" });
  const fields = [label, passwordField()];
  if (wantsCode(plan.may)) fields.push(proofField());
  return form(app, {
    fields,
    label: t(plan.words),
    submit: t("continue"),
    cancel: plan.home,
    send: async (values) => {
      const replaces = plan.replaces ? { replaces: plan.replaces } : {};
      scan(app, page, plan, await app.client.startEnrolment({ ...values, ...replaces }));
    },
  });
}

function scan(app, page, plan, enrolment) {
  let isPending = true;
  // Once this step is left its secret is gone from the screen, so nobody can confirm it any more.
  page.onLeave(() => {
    if (isPending) app.client.cancelEnrolment(enrolment.id).catch(() => {});
  });
  const settled = () => (isPending = false);
  page.show(() => ({
    title: t("scan"),
    body: [
      el("p", { class: "step" }, t("step", 2, plan.steps, t("step.scan"))),
      scanCard(enrolment),
      el("div", { class: "card" }, confirmForm(app, page, plan, { enrolment, settled })),
    ],
  }));
}

function confirmForm(app, page, plan, { enrolment, settled }) {
  const code = codeField({ label: t("code.confirm"), hint: t("code.confirm.hint") });
  return form(app, {
    fields: [code],
    label: t("scan"),
    submit: t("confirm"),
    cancel: plan.home,
    send: async (values) => {
      const confirmed = await app.client.confirmEnrolment(enrolment.id, values.code);
      settled();
      done(app, page, plan, confirmed.recovery_codes);
    },
    onRefused: (error) => {
      if (["enrolment-expired", "already-confirmed", "already-completed"].includes(error.code)) settled();
      if (error.code !== "code-out-of-window") return false;
      code.clear();
      code.input.focus();
      return false;
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
