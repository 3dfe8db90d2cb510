// Whom a customer turns to who cannot help himself.

import { el } from "./dom.js";
import { t } from "./language.js";

/** The contact as a block, or nothing where the installation names none. */
export function contact(support) {
  const links = [];
  if (support?.email) links.push(el("a", { href: `mailto:${support.email}` }, support.email));
  if (support?.phone) links.push(el("a", { href: `tel:${support.phone.replace(/[^+\d]/g, "")}` }, support.phone));
  // Another scheme than the web's has no business in a link of this page.
  if (/^https?:/.test(support?.url ?? "")) links.push(el("a", { href: support.url, rel: "noreferrer" }, t("support.page")));
  if (links.length === 0) return null;
  return el("div", { class: "support" }, el("p", null, t("support")), el("ul", null, ...links.map((link) => el("li", null, link))));
}

/** The contact before the sign-in, from what the installation publishes. */
export async function publishedContact(app) {
  try {
    return (await app.client.policy()).support ?? null;
  } catch {
    // A page without the contact is better than no page.
    return null;
  }
}

/** The contact, whether signed in or not. */
export async function anyContact(app) {
  if (!app.client.isSignedIn) return publishedContact(app);
  try {
    return (await app.client.status()).support;
  } catch {
    return publishedContact(app);
  }
}
