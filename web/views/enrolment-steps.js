// What a new authenticator of each kind is confirmed with: the app's first code, a passkey's signature, or the code
// that was sent.

import { actionButton } from "../action.js";
import { el } from "../dom.js";
import { codeField } from "../fields.js";
import { form } from "../form.js";
import { clockText, t } from "../language.js";
import { makePasskey } from "../passkey.js";
import { sentCodeField } from "../proof.js";
import { scanCard } from "../scan-card.js";

const START = {
  totp: (client, values) => client.startEnrolment(values),
  passkey: (client, values) => client.startPasskey(values),
  email: (client, values) => client.startEmail(values),
  sms: (client, values) => client.startSms(values),
};
const STEP = { totp: scan, passkey: sign, email: receive, sms: receive };

/** Starts an enrolment and shows the step that confirms it. `done` gets the recovery codes, or null. */
export async function begin(app, page, plan, values, done) {
  const enrolment = await START[plan.kind](app.client, values);
  let isPending = true;
  // Once this step is left its secret is gone from the screen, so nobody can confirm it any more.
  page.onLeave(() => {
    if (isPending) app.client.cancelEnrolment(enrolment.id, plan.kind).catch(() => {});
  });
  const settled = () => (isPending = false);
  const confirm = async (call) => {
    const confirmed = await call();
    settled();
    done(confirmed.recovery_codes);
  };
  page.show(() => STEP[plan.kind](app, plan, { enrolment, settled, confirm }));
}

const ENDED = ["enrolment-expired", "already-confirmed", "already-completed"];
const step = (plan) => el("p", { class: "step" }, t("step", 2, plan.steps, t(`step.${plan.kind}`)));

function scan(app, plan, { enrolment, settled, confirm }) {
  const code = codeField({ label: t("code.confirm"), hint: t("code.confirm.hint") });
  const body = form(app, {
    fields: [code],
    label: t("scan"),
    submit: t("confirm"),
    cancel: plan.home,
    send: (values) => confirm(() => app.client.confirmEnrolment(enrolment.id, values.code)),
    onRefused: (error) => {
      if (ENDED.includes(error.code)) settled();
      if (error.code !== "code-out-of-window") return false;
      code.clear();
      code.input.focus();
      return false;
    },
  });
  return { title: t("scan"), body: [step(plan), scanCard(enrolment), el("div", { class: "card" }, body)] };
}

function sign(app, plan, { enrolment, settled, confirm }) {
  const body = form(app, {
    fields: [],
    label: t("passkey.make"),
    submit: t("passkey.make"),
    cancel: plan.home,
    // The browser's own dialog takes its time, and nothing is changed before it ends.
    send: async () => {
      const credential = await makePasskey(enrolment.public_key);
      await confirm(() => app.client.confirmPasskey(enrolment.id, credential));
    },
    onRefused: (error) => {
      if (ENDED.includes(error.code)) settled();
      return false;
    },
  });
  return {
    title: t("passkey.make"),
    body: [step(plan), el("p", { class: "lead" }, t("passkey.make.why")), el("div", { class: "card narrow" }, body, el("p", { class: "small" }, t("waits.until", clockText(enrolment.expires_at))))],
  };
}

function receive(app, plan, { enrolment, settled, confirm }) {
  const body = form(app, {
    fields: [sentCodeField()],
    label: t("receive"),
    submit: t("confirm"),
    cancel: plan.home,
    send: (values) => confirm(() => app.client.confirmSent(plan.kind, enrolment.id, values.code)),
    onRefused: (error) => {
      if (ENDED.includes(error.code)) settled();
      return false;
    },
  });
  const resend = async () => {
    Object.assign(enrolment, await app.client.resendCode(plan.kind, enrolment.id));
    said.textContent = t("code.sent", enrolment.sent_to);
  };
  const said = el("p", { class: "small", role: "status" });
  const again = actionButton(app, { label: t("code.send.again"), run: resend });
  return {
    title: t("receive"),
    body: [step(plan), el("p", { class: "lead" }, t("code.sent", enrolment.sent_to)), el("div", { class: "card narrow" }, body, again, said)],
  };
}
