// Judges cases by the library of Standard Webhooks for Node.js, each at the time that it was sent.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const cases = JSON.parse(readFileSync(process.argv[2], "utf8"));
for (const [n, { secret, headers, body, holds }] of cases.entries()) {
  const now = Number(headers["webhook-timestamp"]) * 1000;
  Date.now = () => now;
  let verified = true;
  try {
    new Webhook(secret).verify(body, headers);
  } catch {
    verified = false;
  }
  if (verified !== holds) {
    console.error(`case ${n}: verified is ${verified}`);
    process.exit(1);
  }
}
console.log(`${cases.length} cases`);
