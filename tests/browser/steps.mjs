// What a customer does on the page, by what he sees and a screen reader reads: roles, names and labels.

import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { Phone } from "./phone.mjs";

export const APP_CODE = "Code from your authenticator app";
export const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });
export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const link = (page, name) => page.getByRole("link", { name, exact: true });
export const see = (locator) => locator.waitFor();

export async function enterPassword(page, name, password = PASSWORD) {
  await see(heading(page, "Sign in"));
  await page.getByLabel("E-mail", { exact: true }).fill(email(name));
  await page.getByLabel("Password", { exact: true }).fill(password);
  await button(page, "Sign in").click();
}

export async function signIn(page, name) {
  await enterPassword(page, name);
  await see(heading(page, "Account Security"));
}

export async function signInWithCode(page, name, code) {
  await enterPassword(page, name);
  await see(heading(page, "Confirm that it is you"));
  await page.getByLabel(APP_CODE).fill(code);
  await button(page, "Sign in").click();
  await see(heading(page, "Account Security"));
}

export async function enterRecoveryCode(page, code) {
  await see(heading(page, "Confirm that it is you"));
  await button(page, "Use a recovery code instead").click();
  await page.getByLabel("Recovery code", { exact: true }).fill(code);
  await button(page, "Sign in").click();
}

/** A recovery code needs no wait for the next moment of the app. Where to the way goes is the caller's matter. */
export async function signInWithRecoveryCode(page, name, code) {
  await enterPassword(page, name);
  await enterRecoveryCode(page, code);
}

/** From the first page to the code that the app shows, which is not confirmed yet. */
export async function beginSetUp(page) {
  await link(page, "Set up two-factor authentication").click();
  await see(heading(page, "Set up two-factor authentication"));
  await page.getByLabel("Name of this authenticator").fill("Pixel 9");
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Continue").click();
  await see(heading(page, "Connect your authenticator app"));
  const phone = await Phone.scan(page.getByRole("img", { name: /^QR code/ }));
  await page.getByLabel("Code that the app shows").fill(await phone.code());
  return phone;
}

/** The codes as they are listed. */
export async function recoveryCodes(page) {
  await see(heading(page, "Save your recovery codes"));
  return page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem").allTextContents();
}

export async function acknowledge(page) {
  await page.getByLabel("I have saved my recovery codes").check();
  await button(page, "Continue").click();
  await see(heading(page, "Manage two-factor authentication"));
}

export async function setUp(page) {
  const phone = await beginSetUp(page);
  await button(page, "Confirm").click();
  const codes = await recoveryCodes(page);
  await acknowledge(page);
  return { phone, codes };
}

export async function signOut(page) {
  await button(page, "Sign out").click();
  await see(page.getByText("You are signed out."));
}
