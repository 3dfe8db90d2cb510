// The page of a sandbox: shows what /sandbox and /sandbox/messages tell, and asks again every other second.

const EVERY = 2000;
const byId = (id) => document.getElementById(id);
/** The number of the newest message that is shown; one that is shown is not drawn again, so that it can be read. */
let newest = 0;

async function ask(path, options) {
  const response = await fetch(path, options);
  const body = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(body?.detail ?? `${path}: ${response.status}`);
  return body;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function showSandbox({ service, now, accounts, client, webhook }) {
  Object.assign(byId("service"), { href: service, textContent: service });
  Object.assign(byId("now"), { dateTime: now, textContent: now });
  byId("password").textContent = accounts[0].password;
  byId("client").textContent = client.id;
  byId("secret").textContent = client.secret;
  byId("hook").textContent = webhook.url;
  byId("hook-secret").textContent = webhook.secret;
  byId("accounts").replaceChildren(...accounts.map(accountRow));
}

function accountRow({ email, locale, scope, totp, recovery_codes: codes }) {
  const code = (text) => element("td", {}, text ? element("code", { textContent: text }) : "none");
  return element("tr", {},
    element("th", { scope: "row", textContent: email }),
    element("td", { textContent: locale }),
    element("td", { textContent: scope || "none" }),
    code(totp?.secret), code(totp?.code), code(codes[0]));
}

function showMessages(messages) {
  byId("none").hidden = messages.length > 0;
  if (messages.length === 0) byId("messages").replaceChildren();
  const fresh = messages.filter(({ n }) => n > newest);
  newest = messages[0]?.n ?? newest;
  byId("messages").prepend(...fresh.map(messageItem));
}

function messageItem(message) {
  const { n, channel, to, kind, at } = message;
  const title = channel === "mail" ? message.subject : `Webhook ${kind}`;
  const item = element("li", {}, element("h3", { textContent: title }),
    element("p", { textContent: `${channel} to ${to}, ${kind}, ${at}` }));
  if (channel === "webhook") {
    item.append(element("p", { textContent: `The signature is ${message.signature}.` }),
      element("pre", { textContent: JSON.stringify(message.body, null, 2) }));
    return item;
  }
  const links = message.text.match(/https?:\/\/\S+/g) ?? [];
  item.append(element("pre", { textContent: message.text }),
    ...links.map((href) => element("p", {}, element("a", { href, textContent: href }))));
  const frame = element("iframe", { src: `sandbox/messages/${n}`, title: `Message ${n} as a page`, loading: "lazy" });
  frame.setAttribute("sandbox", "");
  item.append(frame);
  return item;
}

async function refresh() {
  try {
    showSandbox(await ask("sandbox"));
    showMessages((await ask("sandbox/messages")).messages);
  } catch (error) {
    byId("said").textContent = `The sandbox does not answer: ${error.message}`;
  }
}

/** Does what a button says, and says that it is done. */
async function act(request, done) {
  try {
    await request();
    byId("said").textContent = done;
  } catch (error) {
    byId("said").textContent = error.message;
  }
  await refresh();
}

for (const button of document.querySelectorAll("[data-advance]")) {
  const body = JSON.stringify({ advance: Number(button.dataset.advance) });
  const move = { method: "POST", headers: { "Content-Type": "application/json" }, body };
  button.addEventListener("click", () => act(() => ask("sandbox/clock", move), `It is ${button.textContent}.`));
}
byId("clear").addEventListener("click", () =>
  act(() => ask("sandbox/messages", { method: "DELETE" }), "The list is empty."));
byId("reset").addEventListener("click", () =>
  act(() => ask("sandbox/reset", { method: "POST" }), "All is as it was at the start."));

await refresh();
setInterval(refresh, EVERY);
