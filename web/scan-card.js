// What the authenticator app needs: the QR code, the key to type, and the link for the same phone.

import { card, el } from "./dom.js";
import { clockText, t } from "./language.js";
import { copy } from "./recovery-sheet.js";

export function scanCard(enrolment) {
  return card(t("scan.title"),
    el("p", null, t("scan.how")),
    el("div", { class: "scan" }, picture(enrolment), key(enrolment)),
    el("p", { class: "small" }, t("scan.until", clockText(enrolment.expires_at))));
}

function picture(enrolment) {
  // An image runs no scripts, whatever the drawing holds.
  const drawing = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(enrolment.qr_svg)}`;
  return el("div", null,
    el("img", { class: "qr", src: drawing, alt: t("scan.alt"), width: "220", height: "220" }),
    el("p", { class: "same-phone" }, el("a", { class: "button quiet small-button", href: enrolment.otpauth_uri }, t("scan.open"))));
}

function key(enrolment) {
  const said = el("p", { class: "small", role: "status" });
  return el("div", null,
    el("h3", null, t("key")),
    el("p", null, t("key.how")),
    el("p", { class: "key" }, ...groups(enrolment.secret).map((group) => el("code", null, group))),
    el("div", { class: "buttons" }, el("button", { type: "button", class: "button quiet", onclick: () => copy(enrolment.secret, said) }, t("key.copy")), said),
    el("p", { class: "small" }, t("key.settings", enrolment.algorithm, enrolment.digits, enrolment.period)));
}

/** Groups of four are easier to type without losing one's place. */
function groups(secret) {
  return secret.match(/.{1,4}/g) ?? [];
}
