// The document, built node by node. Text is always text: nothing here parses HTML, so data cannot become markup.

/** Makes an element. Keys that begin with `on` are listeners, all others attributes; null and false are left out. */
export function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

let drawn = 0;

/** An id that no other element has: labels, hints and errors are tied to their field by it. */
export function freshId(stem) {
  drawn += 1;
  return `${stem}-${drawn}`;
}

/** What was entered in one drawing of a form, in another one: a field is known by the stem of its id. */
export function carryOver(before, after) {
  const stem = ({ id }) => id.replace(/-\d+$/, "");
  const entered = new Map([...before].map((input) => [stem(input), input]));
  for (const input of after) {
    const { value, checked } = entered.get(stem(input)) ?? input;
    input.value = value;
    // What depends on a choice is drawn by its listener.
    if (checked && !input.checked) input.click();
  }
}

/** Words for a screen reader alone, where the eye has the place to go by. */
export function unseen(text) {
  return el("span", { class: "unseen" }, text);
}

/** Where a screen reader is told that something is under way: the button that changes its text is not read again. */
export function busyWord() {
  return el("span", { class: "unseen", role: "status" });
}

/** A link that looks like a button. */
export function linkButton(href, kind, ...children) {
  return el("a", { href, class: `button ${kind}` }, ...children);
}

/** A card: a region with a heading of its own. */
export function card(title, ...children) {
  const id = freshId("card");
  return el("section", { class: "card", "aria-labelledby": id }, el("h2", { id }, title), ...children);
}

/** A row of a description list. */
export function row(term, ...description) {
  return el("div", { class: "row" }, el("dt", null, term), el("dd", null, ...description));
}
