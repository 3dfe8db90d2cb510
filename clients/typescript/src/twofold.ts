// The client: one method for each call of the contract, and what to do about its answer.

import createClient, { type Client } from "openapi-fetch";

import { bodyOf, once, persist, succeeded } from "./answer.js";
import { type Attempt, CHANGE, Calls, type Init, POST, POST_FOR_TOKENS, PUT, READ } from "./calls.js";
import { ProblemError } from "./problem.js";
import type { components, paths } from "./schema.js";
import { Session } from "./session.js";
import { type DeviceStore, MemoryStore, type TokenStore, type Tokens } from "./tokens.js";

type Schemas = components["schemas"];

/** A kind of second factor. */
export type Kind = Schemas["MethodType"];

/**
 * A proof of the second factor: a code of an authenticator app, a code that was sent by `startAnswer` or `startVerify`,
 * what a passkey has signed (`PublicKeyCredential.toJSON()`), or a recovery code.
 */
export type Proof =
  | { code: string; method?: "totp" | "sms" | "email" }
  | { credential: Record<string, unknown> }
  | { recovery_code: string };

/** The password, and a second factor where `actions.….proofs` of the status asks for one. */
export type Proofs = { password: string; code?: string; recovery_code?: string };

/** How fresh the proof of the second factor has to be, in seconds (RFC 9470). */
export type Demand = { maxAge: number };

/** What came of a password. `setup_required`: nothing but setting two-factor authentication up is possible now. */
export type SignIn =
  | { result: "signed_in"; setup_required: boolean }
  | { result: "second_factor_required"; challenge: string; methods: string[]; expires_at: string };

/** What starts an enrolment of any kind. `replaces` swaps the methods at the confirm, of whatever kind they are. */
export type Start = Proofs & { label?: string; replaces?: string };

/** How a client is set up. */
export interface Options {
  /** Where the service is; by default where the page came from. */
  baseUrl?: string;
  /** The language of titles, details and messages: `en`, `ms` or `zh-Hans`. */
  language?: string;
  /** Where the tokens are kept; by default in memory. */
  store?: TokenStore;
  /** Where the token of a remembered device is kept; without it no device is remembered. */
  device?: DeviceStore;
  /** By default that of the platform. */
  fetch?: typeof fetch;
  /** Milliseconds after which a try counts as unanswered; 30 seconds by default. */
  timeout?: number;
  /** Called when the session ended without `signOut`: the tokens are gone already. */
  onSignedOut?: () => void;
  /** Asks the owner for a second factor, as often as `prove` refuses it; to return without a proof is to give up. */
  onStepUp?: (demand: Demand, prove: (proof: Proof) => Promise<void>) => Promise<void>;
}

/** One person's access to a Twofold service. Failures are `ProblemError` or `NetworkError`. */
export class Twofold {
  /** Sent as `Accept-Language` from the next call on. */
  language: string | undefined;

  readonly #api: Client<paths>;
  readonly #session: Session;
  readonly #calls: Calls;
  readonly #timeout: number;
  readonly #device: DeviceStore | undefined;
  readonly #onStepUp: Options["onStepUp"];
  #steppingUp: Promise<boolean> | undefined;

  constructor(options: Options = {}) {
    // Looked up at each call, and called without an owner: browsers refuse any other.
    const send = options.fetch ?? ((input: RequestInfo | URL) => fetch(input));
    this.language = options.language;
    this.#timeout = options.timeout ?? 30_000;
    this.#onStepUp = options.onStepUp;
    this.#device = options.device;
    this.#api = createClient<paths>({ baseUrl: options.baseUrl ?? "", fetch: (request) => send(request) });
    this.#session = new Session(
      options.store ?? new MemoryStore(),
      (refresh_token) => this.#api.POST("/auth/token/refresh", { ...this.#init(), body: { refresh_token } }),
      () => options.onSignedOut?.(),
    );
    this.#calls = new Calls(this.#session, () => this.#init(), (demand) => this.#stepUp(demand));
  }

  /** Whether there are tokens. The service may have ended the session meanwhile: the next call tells. */
  get isSignedIn(): boolean {
    return this.#session.isOpen;
  }

  /** Signs in by password. While two-factor authentication is on, `answer` completes it, unless the device is remembered. */
  async signIn(email: string, password: string): Promise<SignIn> {
    const device = this.#device?.load();
    const body = { email, password, ...(device ? { device_token: device } : {}) };
    const answer = bodyOf(await once(() => this.#api.POST("/auth/login", { ...this.#init(), body })));
    return answer.result === "second_factor_required" ? answer : this.#signedIn(answer);
  }

  /** Asks for what answers a challenge: the question for a passkey, or a code that is sent. What was asked before is void. */
  async startAnswer(challenge: string, method: Schemas["AskedMethod"]): Promise<Schemas["Started"]> {
    const body = { challenge, method };
    return bodyOf(await once(() => this.#api.POST("/auth/login/second-factor/start", { ...this.#init(), body })));
  }

  /** Completes a sign-in with the second factor. `rememberDevice` spares it the next ones; it needs `Options.device`. */
  async answer(challenge: string, proof: Proof, { rememberDevice = false } = {}): Promise<SignIn> {
    const body = { challenge, ...given(proof), ...(rememberDevice && this.#device ? { remember_device: true } : {}) };
    return this.#signedIn(bodyOf(await once(() => this.#api.POST("/auth/login/second-factor", { ...this.#init(), body }))));
  }

  #signedIn({ result, tokens, setup_required, device_token }: Schemas["SignedIn"]): SignIn {
    this.#session.replace(tokens);
    // Good once: the next sign-in needs this one.
    if (device_token !== undefined) this.#device?.save(device_token);
    return { result, setup_required };
  }

  /** Ends the session. The tokens are forgotten even when the service could not be told. */
  async signOut(): Promise<void> {
    try {
      await this.#calls.make((init) => this.#api.POST("/auth/logout", init), POST_FOR_TOKENS);
    } catch (error) {
      // Over already: that is what was wanted.
      if (!(error instanceof ProblemError && error.status === 401)) throw error;
    } finally {
      this.#session.close();
    }
  }

  /** The Account Security tab. */
  overview(): Promise<Schemas["AccountSecurity"]> {
    return this.#calls.make((init) => this.#api.GET("/account/security", init), READ);
  }

  /** How two-factor authentication stands, and what the owner may do about it now. */
  status(): Promise<Schemas["Status"]> {
    return this.#calls.make((init) => this.#api.GET("/account/security/2fa", init), READ);
  }

  /** The numbers in force: windows, lives, budgets. Needs no sign-in. */
  async policy(): Promise<Record<string, unknown>> {
    return bodyOf(await persist(() => this.#api.GET("/.well-known/two-factor-policy", this.#init())));
  }

  /** What the link of a mail would take back. Needs no sign-in. */
  async previewUndo(token: string): Promise<Schemas["UndoPreview"]> {
    const body = { token };
    return bodyOf(await persist(() => this.#api.POST("/account/security/2fa/undo/preview", { ...this.#init(), body })));
  }

  /** Takes a disable back by the link of the mail about it, once. Needs no sign-in; every session ends. */
  async undo(token: string, newPassword: string): Promise<Schemas["Undone"]> {
    const body = { token, new_password: newPassword };
    return bodyOf(await once(() => this.#api.POST("/account/security/2fa/undo", { ...this.#init(), body })));
  }

  /** Ends the reminders that two-factor authentication is off, by the link in one of them. Needs no sign-in. */
  async stopReminders(token: string): Promise<void> {
    const body = { token };
    bodyOf(await persist(() => this.#api.POST("/account/security/2fa/reminders/stop", { ...this.#init(), body })));
  }

  /** A page of the security log, newest first. */
  events(page: { cursor?: string; limit?: number } = {}): Promise<Schemas["Events"]> {
    const params = { query: page };
    return this.#calls.make((init) => this.#api.GET("/account/security/events", { ...init, params }), READ);
  }

  /** The sessions that are alive, newest first. */
  sessions(): Promise<Schemas["Sessions"]> {
    return this.#calls.make((init) => this.#api.GET("/account/security/sessions", init), READ);
  }

  /** Ends a session. */
  async endSession(sid: string): Promise<void> {
    const params = { path: { sid } };
    await this.#calls.make((init) => this.#api.DELETE("/account/security/sessions/{sid}", { ...init, params }), CHANGE);
  }

  /** Ends every session but this one. */
  endOtherSessions(): Promise<Schemas["EndedSessions"]> {
    return this.#calls.make((init) => this.#api.POST("/account/security/sessions/end-others", init), POST);
  }

  /** The partners that may see whether the account is protected, the oldest first. */
  partners(): Promise<Schemas["Partners"]> {
    return this.#calls.make((init) => this.#api.GET("/account/security/partners", init), READ);
  }

  /** Lets a partner see the account; one that sees it already still does. */
  async allowPartner(id: string): Promise<void> {
    const params = { path: { id } };
    await this.#calls.make((init) => this.#api.PUT("/account/security/partners/{id}", { ...init, params }), PUT);
  }

  /** Lets a partner see the account no more. */
  async refusePartner(id: string): Promise<void> {
    const params = { path: { id } };
    await this.#calls.make((init) => this.#api.DELETE("/account/security/partners/{id}", { ...init, params }), CHANGE);
  }

  /** The devices that are remembered: signing in there takes the password alone. */
  devices(): Promise<Schemas["Devices"]> {
    return this.#calls.make((init) => this.#api.GET("/account/security/devices", init), READ);
  }

  /** Forgets a device. */
  async forgetDevice(id: string): Promise<void> {
    const params = { path: { id } };
    await this.#calls.make((init) => this.#api.DELETE("/account/security/devices/{id}", { ...init, params }), CHANGE);
  }

  /** Forgets every device. */
  forgetAllDevices(): Promise<Schemas["ForgottenDevices"]> {
    return this.#calls.make((init) => this.#api.POST("/account/security/devices/forget-all", init), POST);
  }

  /** Starts the enrolment of an authenticator app. The secret is in this answer and nowhere else. */
  startEnrolment(start: Start): Promise<Schemas["Enrolment"]> {
    return this.#calls.make((init) => this.#api.POST("/account/security/2fa/totp", { ...init, body: start }), POST);
  }

  /** Starts the enrolment of a passkey: `public_key` is for `navigator.credentials.create`, in its JSON form. */
  startPasskey(start: Start): Promise<Schemas["PasskeyEnrolment"]> {
    return this.#calls.make((init) => this.#api.POST("/account/security/2fa/passkeys", { ...init, body: start }), POST);
  }

  /** Starts the enrolment of codes by e-mail, and sends the first one. */
  startEmail(start: Start): Promise<Schemas["CodeEnrolment"]> {
    return this.#calls.make((init) => this.#api.POST("/account/security/2fa/email", { ...init, body: start }), POST);
  }

  /** Starts the enrolment of codes by text message, and sends the first one. */
  startSms(start: Start & { phone: string }): Promise<Schemas["CodeEnrolment"]> {
    return this.#calls.make((init) => this.#api.POST("/account/security/2fa/sms", { ...init, body: start }), POST);
  }

  /** An enrolment, without its secret. */
  enrolment(id: string): Promise<Schemas["EnrolmentState"]> {
    const params = { path: { id } };
    return this.#calls.make((init) => this.#api.GET("/account/security/2fa/totp/{id}", { ...init, params }), READ);
  }

  /** Puts the authenticator in service with its first code. The recovery codes are in this answer and nowhere else. */
  confirmEnrolment(id: string, code: string): Promise<Omit<Schemas["Confirmed"], "tokens">> {
    const init = { params: { path: { id } }, body: { code } };
    return this.#calls.makeForTokens((common) =>
      this.#api.POST("/account/security/2fa/totp/{id}/confirm", { ...common, ...init }));
  }

  /** Puts a passkey in service with what it has signed (`PublicKeyCredential.toJSON()`). */
  confirmPasskey(id: string, credential: Record<string, unknown>): Promise<Omit<Schemas["Confirmed"], "tokens">> {
    const init = { params: { path: { id } }, body: { credential: opaque(credential) } };
    return this.#calls.makeForTokens((common) =>
      this.#api.POST("/account/security/2fa/passkeys/{id}/confirm", { ...common, ...init }));
  }

  /** Puts codes by e-mail or text message in service with the one that was sent. */
  confirmSent(kind: "email" | "sms", id: string, code: string): Promise<Omit<Schemas["Confirmed"], "tokens">> {
    const init = { params: { path: { id } }, body: { code } };
    return this.#calls.makeForTokens((common) => kind === "email"
      ? this.#api.POST("/account/security/2fa/email/{id}/confirm", { ...common, ...init })
      : this.#api.POST("/account/security/2fa/sms/{id}/confirm", { ...common, ...init }));
  }

  /** Sends another code for an enrolment; the one before is void. */
  resendCode(kind: "email" | "sms", id: string): Promise<Schemas["StartedCode"]> {
    const params = { path: { id } };
    return this.#calls.make((init) => kind === "email"
      ? this.#api.POST("/account/security/2fa/email/{id}/resend", { ...init, params })
      : this.#api.POST("/account/security/2fa/sms/{id}/resend", { ...init, params }), CHANGE);
  }

  /** Gives up an enrolment. */
  async cancelEnrolment(id: string, kind: Kind = "totp"): Promise<void> {
    const params = { path: { id } };
    await this.#calls.make((init) => {
      switch (kind) {
        case "passkey": return this.#api.DELETE("/account/security/2fa/passkeys/{id}", { ...init, params });
        case "email": return this.#api.DELETE("/account/security/2fa/email/{id}", { ...init, params });
        case "sms": return this.#api.DELETE("/account/security/2fa/sms/{id}", { ...init, params });
        case "totp": return this.#api.DELETE("/account/security/2fa/totp/{id}", { ...init, params });
      }
    }, CHANGE);
  }

  /** Calls an authenticator something else. */
  renameMethod(id: string, label: string): Promise<Schemas["Method"]> {
    const init = { params: { path: { id } }, body: { label } };
    return this.#calls.make((common) =>
      this.#api.PATCH("/account/security/2fa/methods/{id}", { ...common, ...init }), CHANGE);
  }

  /** Takes one of several authenticators out of service. */
  removeMethod(id: string, proofs: Proofs): Promise<Omit<Schemas["Removed"], "tokens">> {
    const init = { params: { path: { id } }, body: proofs };
    return this.#calls.makeForTokens((common) =>
      this.#api.POST("/account/security/2fa/methods/{id}/remove", { ...common, ...init }));
  }

  /** What a disable would do, and what it takes. */
  previewDisable(): Promise<Schemas["DisablePreview"]> {
    return this.#calls.make((init) => this.#api.GET("/account/security/2fa/disable/preview", init), READ);
  }

  /** Switches two-factor authentication off. */
  disable(request: Proofs & { reason?: Schemas["DisableReason"] }): Promise<Omit<Schemas["Disabled"], "tokens">> {
    return this.#calls.makeForTokens((init) =>
      this.#api.POST("/account/security/2fa/disable", { ...init, body: request }));
  }

  /** Makes a new set of recovery codes; the old set is dead. */
  async regenerateRecoveryCodes(proofs: Proofs): Promise<string[]> {
    const attempt = (init: Init) => this.#api.POST("/account/security/2fa/recovery-codes", { ...init, body: proofs });
    return (await this.#calls.make(attempt, POST)).recovery_codes;
  }

  /** Asks for what `verify` proves: the question for a passkey, or a code that is sent. What was asked before is void. */
  startVerify(method: Schemas["AskedMethod"]): Promise<Schemas["Started"]> {
    const body = { method };
    return this.#calls.make((init) => this.#api.POST("/account/security/2fa/verify/start", { ...init, body }), CHANGE);
  }

  /** Step-up: proves the second factor in this session. */
  async verify(proof: Proof): Promise<void> {
    await this.#calls.makeForTokens(wrapped((init) =>
      this.#api.POST("/account/security/2fa/verify", { ...init, body: given(proof) })));
  }

  /** Changes the password; every other session ends. */
  async changePassword(
    request: { current_password: string; new_password: string; code?: string; recovery_code?: string },
  ): Promise<void> {
    await this.#calls.makeForTokens(wrapped((init) => this.#api.POST("/account/password", { ...init, body: request })));
  }

  #init(): Init {
    const headers: Record<string, string> = this.language === undefined ? {} : { "Accept-Language": this.language };
    return { headers, signal: AbortSignal.timeout(this.#timeout) };
  }

  // One question for the owner, however many calls wait for it.
  async #stepUp(demand: Demand): Promise<boolean> {
    this.#steppingUp ??= this.#prove(demand).finally(() => {
      this.#steppingUp = undefined;
    });
    return this.#steppingUp;
  }

  async #prove(demand: Demand): Promise<boolean> {
    let isProved = false;
    await this.#onStepUp?.(demand, async (proof) => {
      await this.verify(proof);
      isProved = true;
    });
    return isProved;
  }
}

// Where the whole body is the tokens, it is treated as the bodies that have them as a member. It is empty for a token of
// the portal's own issuer.
function wrapped(attempt: Attempt<Tokens | undefined>): Attempt<{ tokens: Tokens | null }> {
  return async (init) => {
    const answer = await attempt(init);
    return succeeded(answer) ? { data: { tokens: answer.data ?? null }, response: answer.response } : answer;
  };
}

function given(proof: Proof) {
  return "credential" in proof ? { credential: opaque(proof.credential) } : proof;
}

// The document says that it is an object, and nothing of what is in it: that is the standard's.
function opaque(credential: Record<string, unknown>) {
  return credential as Record<string, never>;
}
