// The element: header, navigation and the one view that the address names. Views see it as `app`.

import { Twofold } from "./client.js";
import { el, freshId } from "./dom.js";
import { explain } from "./failure.js";
import { LANGUAGES, language, speak, t } from "./language.js";
import { Page } from "./page.js";
import { find, MissingPart, part } from "./routes.js";
import { DeviceToken, TabTokens } from "./tokens.js";

const TABS = [["#/", "security"], ["#/log", "log"], ["#/sessions", "sessions"], ["#/password", "password.change"]];

export class AccountSecurity extends HTMLElement {
  /** The pending sign-in, while its second factor is asked for. In memory alone. */
  challenge = null;
  #header = el("header", { class: "top" });
  #notice = el("div", { class: "notice", role: "status" });
  #main = el("main", { id: "content", tabindex: "-1" });
  #page = null;
  #pending = null;
  #wanted = null;
  #isLeaving = false;
  #isRedraw = false;
  /** The first view leaves the focus where the browser has it: at the top, before the link that skips the header. */
  #hasShown = false;

  connectedCallback() {
    this.client = new Twofold({
      // The service is where its page is, also below a path of a portal.
      baseUrl: new URL("..", import.meta.url).href.replace(/\/$/, ""),
      language: language(),
      store: new TabTokens(),
      device: new DeviceToken(),
      onSignedOut: () => this.#sessionEnded(),
      onStepUp: async (_, prove) => (await part(() => import("./step-up.js"))).askForProof(this, prove),
    });
    const skip = el("a", { class: "skip", href: "#content", onclick: (event) => this.#skip(event) });
    this.replaceChildren(skip, this.#header, el("div", { class: "middle" }, this.#notice, this.#main));
    addEventListener("hashchange", () => this.reload());
    // A page that the browser keeps for the back button must hold nothing of this one's secrets.
    addEventListener("pagehide", () => this.#page?.leave());
    addEventListener("pageshow", (event) => event.persisted && this.reload());
    this.reload();
  }

  /** Goes to a view, leaving the present one in the history. */
  go(hash) {
    if (location.hash === hash) this.reload();
    else location.hash = hash;
  }

  /** Goes to a view in place of the present one, which the back button then does not find. */
  replace(hash) {
    history.replaceState(null, "", hash);
    this.reload();
  }

  /** A sentence above the next view. */
  notice(text, ...more) {
    this.#pending = [text, ...more];
  }

  async reload() {
    // A question that belongs to the view before is closed with it.
    this.querySelector("dialog")?.close();
    this.#page?.leave();
    const page = new Page(this.#main, { takesFocus: this.#hasShown, onShow: () => this.#frame() });
    this.#page = page;
    const { view, parameters, isOpen } = find(location.hash);
    if (!isOpen && !this.client.isSignedIn) {
      this.#wanted = location.hash;
      return this.replace("#/sign-in");
    }
    try {
      await view(this, page, parameters);
    } catch (error) {
      if (!page.isLeft) page.show(() => this.#failed(error));
    }
  }

  /** After a sign-in: on to where the customer wanted to go, if anything but setting up is possible. */
  signedIn({ setup_required: mustSetUp = false } = {}) {
    const wanted = mustSetUp ? "#/set-up" : this.#wanted;
    this.#wanted = null;
    this.challenge = null;
    if (mustSetUp) this.notice(t("problem.two-factor-setup-required"));
    this.replace(wanted ?? "#/");
  }

  async signOut(button) {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    button.setAttribute("aria-busy", "true");
    button.textContent = t("busy");
    try {
      await this.client.signOut();
      this.notice(t("signed-out"));
    } catch {
      // The tokens of this tab are gone; the session itself ends by its own idle limit.
      this.notice(t("signed-out.unsure"));
    } finally {
      this.#isLeaving = false;
      this.#wanted = null;
    }
    this.go("#/sign-in");
  }

  #sessionEnded() {
    if (this.#isLeaving) return;
    if (!find(location.hash).isOpen) this.#wanted = location.hash;
    this.notice(t("session-ended"));
    this.replace("#/sign-in");
  }

  #failed(error) {
    const { message, more } = explain(this, error, { isChange: false });
    const again = el("button", { type: "button", class: "button main", onclick: () => this.#tryAgain(error) }, t("try-again"));
    return { title: t("not-loaded"), body: [el("div", { role: "alert", class: "alert" }, el("p", null, message), ...more), again] };
  }

  /** Loads the whole page anew where a part is missing, but only once it would come: else the browser's own error took its place. */
  async #tryAgain(error) {
    const isThere = () => fetch(import.meta.url, { cache: "no-store" }).then(() => true, () => false);
    if (error instanceof MissingPart && await isThere()) location.reload();
    else this.reload();
  }

  #frame() {
    document.documentElement.lang = language();
    this.querySelector(".skip").textContent = t("skip");
    const signedIn = this.client.isSignedIn;
    const mark = el("img", { src: new URL("icon.svg", import.meta.url).href, alt: "", width: "28", height: "28" });
    this.#header.replaceChildren(
      el("div", { class: "bar" }, el("p", { class: "brand" }, mark, t("security")), this.#tools(signedIn)),
      signedIn ? this.#tabs() : "",
    );
    if (this.#pending) this.#notice.replaceChildren(el("p", null, ...this.#pending));
    else if (!this.#isRedraw) this.#notice.replaceChildren();
    this.#pending = null;
    this.#hasShown = true;
  }

  #tools(signedIn) {
    const id = freshId("language");
    const options = LANGUAGES.map(([tag, name]) => el("option", { value: tag, lang: tag, selected: tag === language() }, name));
    const choice = el("select", { id, onchange: () => this.#speak(choice.value) }, ...options);
    const out = el("button", { type: "button", class: "button quiet", onclick: () => this.signOut(out) }, t("sign-out"));
    return el("div", { class: "tools" }, el("label", { for: id, class: "unseen" }, t("language")), choice, signedIn && out);
  }

  #tabs() {
    const here = find(location.hash).tab;
    const links = TABS.map(([href, key]) =>
      el("li", null, el("a", { href, "aria-current": href === here && "page" }, t(key))));
    return el("nav", { "aria-label": t("navigation") }, el("ul", null, ...links));
  }

  async #speak(tag) {
    await speak(tag);
    this.client.language = language();
    this.#isRedraw = true;
    this.#page.redraw();
    this.#isRedraw = false;
    this.querySelector("header select").focus();
  }

  /** The fragment is the address of the view, so the link moves the focus by itself. */
  #skip(event) {
    event.preventDefault();
    this.#main.focus();
  }
}
