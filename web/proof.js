// The second factor by whichever way the customer has at hand: one at a time, the strongest first.

import { actionButton } from "./action.js";
import { el } from "./dom.js";
import { codeField, recoveryCodeField } from "./fields.js";
import { form } from "./form.js";
import { t } from "./language.js";
import { canUsePasskeys, usePasskey } from "./passkey.js";

/** What the customer has chosen and been sent; it outlives a change of the language. */
export function freshProof(methods) {
  const able = methods.filter((method) => method !== "passkey" || canUsePasskeys());
  return { methods: able, method: able[0], sent: null };
}

/**
 * `start` asks for a passkey or has a code sent, `prove` gets the proof and what `extra` says; what else is given is of
 * the form. `extra` makes fields that stand below the proof, anew for each way; a recovery code has none.
 */
export function proofPicker(app, state, { start, prove, extra = () => [], ...rest }) {
  const place = el("div", { class: "proof-picker" });
  const draw = (takesFocus) => {
    place.replaceChildren(way(), ...others());
    if (takesFocus) place.querySelector("input, button")?.focus();
  };
  const choose = (method) => {
    Object.assign(state, { method, sent: null });
    draw(true);
  };
  const others = () => state.methods.filter((method) => method !== state.method).map((method) =>
    el("button", { type: "button", class: "link", onclick: () => choose(method) }, t(USE[method])));
  const send = async () => {
    state.sent = await start(state.method);
    draw(true);
  };
  const way = () => {
    switch (state.method) {
      case "totp": return asked(codeField());
      case "recovery_code": return asked(recoveryCodeField(), []);
      case "passkey": return signed();
      case "sms": case "email": return state.sent ? received() : sending();
      default: return el("p", null, t("proof.none"));
    }
  };
  const asked = (field, more = extra()) => form(app, { fields: [field, ...more], isChange: false, ...rest, send: (values) => prove(values) });
  const signed = () => form(app, { fields: extra(), isChange: false, ...rest, submit: t("passkey.use"), send: async (values) => {
    const { public_key: options } = await start("passkey");
    await prove({ credential: await usePasskey(options), ...values });
  } });
  const sending = () => form(app, { fields: [], body: [el("p", null, t(`${state.method}.send.why`))], isChange: false, ...rest, submit: t("code.send"), send });
  const received = () => {
    const more = extra();
    const fields = [sentCodeField(), ...more];
    const body = [el("p", { role: "status" }, t("code.sent", state.sent.sent_to)), ...fields.map((field) => field.node)];
    const proof = form(app, { fields, body, isChange: false, ...rest, send: (values) => prove({ method: state.method, ...values }) });
    return el("div", { class: "proof" }, proof, actionButton(app, { label: t("code.send.again"), run: send, isChange: false }));
  };
  draw(false);
  return place;
}

const USE = { passkey: "use-passkey", totp: "use-code", sms: "use-sms", email: "use-email", recovery_code: "use-recovery-code" };

/** A code that was sent. */
export function sentCodeField() {
  return codeField({ label: t("sent-code"), hint: t("sent-code.hint"), empty: t("sent-code.empty") });
}

/** The ways in which an account proves its second factor, the strongest first, by its status. */
export function waysOf({ methods, recovery_codes: codes }) {
  const kinds = new Set(methods.map(({ type }) => type));
  const ways = ["passkey", "totp", "sms", "email"].filter((kind) => kinds.has(kind));
  return codes?.remaining > 0 ? [...ways, "recovery_code"] : ways;
}
