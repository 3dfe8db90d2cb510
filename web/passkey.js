// Passkeys and security keys: what the browser does, in the JSON forms of WebAuthn (§5.1.8 and §5.1.9).

/** Whether this browser can. One that lacks the JSON forms is offered the other methods. */
export function canUsePasskeys() {
  return isSecureContext && typeof globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON === "function";
}

/** Makes a passkey; what the service asked for is `options`. */
export async function makePasskey(options) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({ publicKey })).toJSON();
}

/** Has a passkey sign what the service asked for. */
export async function usePasskey(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({ publicKey })).toJSON();
}

/** The text for what a browser says when there is no passkey in the end; nothing for any other error. */
export function passkeyTrouble(error) {
  if (!(error instanceof DOMException)) return null;
  return error.name === "InvalidStateError" ? "passkey.there" : "passkey.none";
}
