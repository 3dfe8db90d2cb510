// The links of our mails: "It wasn't me", and no more reminders.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { bringAxe, violations } from "./axe.mjs";
import { start } from "./browser.mjs";
import { Phone } from "./phone.mjs";
import { button, heading, link, see } from "./steps.mjs";

const { url, keys, open } = await start({ persons: ["alice", "bob"] });

async function ask(path, body, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${path} answered ${answer.status}`);
  return answer.json();
}

/** Each part behind its length, as the service tells parts of a name apart. */
function parts(...all) {
  return Buffer.concat(all.flatMap((part) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(part.length));
    return [length, part];
  }));
}

/** Sets it up and switches it off again, as somebody who has the password; makes the tokens of the mail about that. */
async function switchedOff(name) {
  const signedIn = await ask("/auth/login", { email: email(name), password: PASSWORD });
  const enrolment = await ask("/account/security/2fa/totp", { password: PASSWORD, label: "Pixel 9" }, signedIn.tokens.access_token);
  const code = await new Phone(enrolment.otpauth_uri).code();
  const { tokens } = await ask(`/account/security/2fa/totp/${enrolment.id}/confirm`, { code }, signedIn.tokens.access_token);
  const { disabled_at } = await ask("/account/security/2fa/disable", { password: PASSWORD }, tokens.access_token);
  const { sub } = JSON.parse(Buffer.from(tokens.access_token.split(".")[1], "base64url"));
  const file = await readFile(keys, "utf8");
  const naming = Buffer.from(/\[naming\][^[]*?\nkey = "([^"]+)"/.exec(file)[1], "base64");
  const moment = Buffer.alloc(8);
  moment.writeBigInt64BE(BigInt(Date.parse(disabled_at)));
  const account = Buffer.from(sub.replaceAll("-", ""), "hex");
  return (purpose) => {
    const message = Buffer.concat([parts(Buffer.from(purpose)), parts(account, moment)]);
    const tag = createHmac("sha256", naming).update(message).digest().subarray(0, 16);
    return Buffer.concat([account, moment, tag]).toString("base64url");
  };
}

test("who did not switch it off takes it back by the link, with a password of his own", async () => {
  const token = (await switchedOff("alice"))("undo");
  const sent = [];
  const prepare = async (page) => {
    await bringAxe(page);
    page.on("request", (request) => sent.push(request.url()));
  };
  const { page, faults } = await open({ at: `undo#${token}`, prepare });
  await see(heading(page, "It wasn’t me"));
  assert.ok(!page.url().includes(token), "the token has left the address");
  assert.ok(sent.every((address) => !address.split("#")[0].includes(token)), "and was in no address that was asked for");
  await see(page.getByText("Pixel 9"));
  assert.deepEqual(await violations(page, "undo"), []);
  const [first, second] = [page.getByLabel("New password", { exact: true }), page.getByLabel("New password once more", { exact: true })];
  await first.fill("nobody else knows this");
  await second.fill("nobody else knows that");
  await button(page, "Undo and secure my account").click();
  await see(page.getByText("The two passwords are not the same."));
  await second.fill("nobody else knows this");
  await button(page, "Undo and secure my account").click();
  await see(heading(page, "Your account is protected again"));
  assert.deepEqual(await violations(page, "undone"), []);
  await link(page, "Sign in").click();
  await see(heading(page, "Sign in"));
  const answer = await ask("/auth/login", { email: email("alice"), password: "nobody else knows this" });
  assert.equal(answer.result, "second_factor_required");
  assert.deepEqual(faults, []);
  const again = await open({ at: `undo#${token}`, prepare });
  await see(again.page.getByText(/This link is no longer good/));
  assert.deepEqual(await violations(again.page, "a link that was used"), []);
});

test("one button ends the reminders", async () => {
  const token = (await switchedOff("bob"))("stop-reminders");
  const { page, faults } = await open({ at: `reminders#${token}`, prepare: bringAxe });
  await see(heading(page, "Reminders"));
  assert.ok(!page.url().includes(token));
  assert.deepEqual(await violations(page, "reminders"), []);
  await button(page, "Stop the reminders").click();
  await see(page.getByText(/There will be no more reminders/));
  assert.deepEqual(faults, []);
  const wrong = await open({ at: "reminders#made-up", locale: "zh-CN" });
  await button(wrong.page, "停止提醒").click();
  await see(wrong.page.getByText("此链接已失效，没有需要停止的提醒。"));
});
