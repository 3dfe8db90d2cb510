// One view on the screen. A view shows steps one after another; what a step showed is gone with the next one.

import { carryOver, el } from "./dom.js";
import { t } from "./language.js";

export class Page {
  #place;
  #build = null;
  #takesFocus;
  #onLeave = [];
  #onShow;

  constructor(place, { takesFocus, onShow }) {
    this.#place = place;
    this.#takesFocus = takesFocus;
    this.#onShow = onShow;
    this.isLeft = false;
    place.replaceChildren(el("p", { class: "loading" }, t("loading")));
    place.setAttribute("aria-busy", "true");
  }

  /** Shows a step. It is given as a function, so that it can be drawn again in another language. */
  show(build) {
    if (this.isLeft) return;
    this.#build = build;
    this.#draw();
    const heading = this.#place.querySelector("h1");
    // A screen reader goes on reading from here, and so does the tab key.
    if (this.#takesFocus) heading.focus();
    this.#takesFocus = true;
    scrollTo(0, 0);
  }

  /** Draws the step again where it stands, with what was entered. */
  redraw() {
    if (!this.#build) return;
    const before = this.#inputs();
    this.#draw();
    carryOver(before, this.#inputs());
  }

  onLeave(what) {
    if (this.isLeft) what();
    else this.#onLeave.push(what);
  }

  /** Ends the view and empties its place: no password, secret or recovery code stays in the document. */
  leave() {
    this.isLeft = true;
    this.#build = null;
    for (const input of this.#inputs()) input.value = "";
    this.#place.replaceChildren();
    for (const what of this.#onLeave.splice(0)) what();
  }

  #inputs() {
    return this.#place.querySelectorAll("input");
  }

  #draw() {
    const { title, body } = this.#build();
    this.#place.removeAttribute("aria-busy");
    this.#place.replaceChildren(el("h1", { tabindex: "-1" }, title), ...body.filter(Boolean));
    document.title = title === t("security") ? title : `${title} – ${t("security")}`;
    this.#onShow();
  }
}
