// The client of clients/typescript as one file. Made by `npm run bundle` there; do not edit it here.
/* It contains openapi-fetch:

MIT License

Copyright (c) 2023 Drew Powers

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
*/

// node_modules/openapi-fetch/dist/index.mjs
var PATH_PARAM_RE = /\{[^{}]+\}/g;
var supportsRequestInitExt = () => {
  return typeof process === "object" && Number.parseInt(process?.versions?.node?.substring(0, 2)) >= 18 && process.versions.undici;
};
function randomID() {
  return Math.random().toString(36).slice(2, 11);
}
function createClient(clientOptions) {
  let {
    baseUrl = "",
    Request: CustomRequest = globalThis.Request,
    fetch: baseFetch = globalThis.fetch,
    querySerializer: globalQuerySerializer,
    bodySerializer: globalBodySerializer,
    pathSerializer: globalPathSerializer,
    headers: baseHeaders,
    requestInitExt = void 0,
    ...baseOptions
  } = { ...clientOptions };
  requestInitExt = supportsRequestInitExt() ? requestInitExt : void 0;
  baseUrl = removeTrailingSlash(baseUrl);
  const globalMiddlewares = [];
  async function coreFetch(schemaPath, fetchOptions) {
    const {
      baseUrl: localBaseUrl,
      fetch: fetch2 = baseFetch,
      Request = CustomRequest,
      headers,
      params = {},
      parseAs = "json",
      querySerializer: requestQuerySerializer,
      bodySerializer = globalBodySerializer ?? defaultBodySerializer,
      pathSerializer: requestPathSerializer,
      body,
      middleware: requestMiddlewares = [],
      ...init
    } = fetchOptions || {};
    let finalBaseUrl = baseUrl;
    if (localBaseUrl) {
      finalBaseUrl = removeTrailingSlash(localBaseUrl) ?? baseUrl;
    }
    let querySerializer = typeof globalQuerySerializer === "function" ? globalQuerySerializer : createQuerySerializer(globalQuerySerializer);
    if (requestQuerySerializer) {
      querySerializer = typeof requestQuerySerializer === "function" ? requestQuerySerializer : createQuerySerializer({
        ...typeof globalQuerySerializer === "object" ? globalQuerySerializer : {},
        ...requestQuerySerializer
      });
    }
    const pathSerializer = requestPathSerializer || globalPathSerializer || defaultPathSerializer;
    const serializedBody = body === void 0 ? void 0 : bodySerializer(
      body,
      // Note: we declare mergeHeaders() both here and below because it’s a bit of a chicken-or-egg situation:
      // bodySerializer() needs all headers so we aren’t dropping ones set by the user, however,
      // the result of this ALSO sets the lowest-priority content-type header. So we re-merge below,
      // setting the content-type at the very beginning to be overwritten.
      // Lastly, based on the way headers work, it’s not a simple “present-or-not” check becauase null intentionally un-sets headers.
      mergeHeaders(baseHeaders, headers, params.header)
    );
    const finalHeaders = mergeHeaders(
      // with no body, we should not to set Content-Type
      serializedBody === void 0 || // if serialized body is FormData; browser will correctly set Content-Type & boundary expression
      serializedBody instanceof FormData ? {} : {
        "Content-Type": "application/json"
      },
      baseHeaders,
      headers,
      params.header
    );
    const finalMiddlewares = [...globalMiddlewares, ...requestMiddlewares];
    const requestInit = {
      redirect: "follow",
      ...baseOptions,
      ...init,
      body: serializedBody,
      headers: finalHeaders
    };
    let id;
    let options;
    let request = new Request(
      createFinalURL(schemaPath, { baseUrl: finalBaseUrl, params, querySerializer, pathSerializer }),
      requestInit
    );
    let response;
    for (const key in init) {
      if (!(key in request)) {
        request[key] = init[key];
      }
    }
    if (finalMiddlewares.length) {
      id = randomID();
      options = Object.freeze({
        baseUrl: finalBaseUrl,
        fetch: fetch2,
        parseAs,
        querySerializer,
        bodySerializer,
        pathSerializer
      });
      for (const m of finalMiddlewares) {
        if (m && typeof m === "object" && typeof m.onRequest === "function") {
          const result = await m.onRequest({
            request,
            schemaPath,
            params,
            options,
            id
          });
          if (result) {
            if (result instanceof Request) {
              request = result;
            } else if (result instanceof Response) {
              response = result;
              break;
            } else {
              throw new Error("onRequest: must return new Request() or Response() when modifying the request");
            }
          }
        }
      }
    }
    if (!response) {
      try {
        response = await fetch2(request, requestInitExt);
      } catch (error2) {
        let errorAfterMiddleware = error2;
        if (finalMiddlewares.length) {
          for (let i = finalMiddlewares.length - 1; i >= 0; i--) {
            const m = finalMiddlewares[i];
            if (m && typeof m === "object" && typeof m.onError === "function") {
              const result = await m.onError({
                request,
                error: errorAfterMiddleware,
                schemaPath,
                params,
                options,
                id
              });
              if (result) {
                if (result instanceof Response) {
                  errorAfterMiddleware = void 0;
                  response = result;
                  break;
                }
                if (result instanceof Error) {
                  errorAfterMiddleware = result;
                  continue;
                }
                throw new Error("onError: must return new Response() or instance of Error");
              }
            }
          }
        }
        if (errorAfterMiddleware) {
          throw errorAfterMiddleware;
        }
      }
      if (finalMiddlewares.length) {
        for (let i = finalMiddlewares.length - 1; i >= 0; i--) {
          const m = finalMiddlewares[i];
          if (m && typeof m === "object" && typeof m.onResponse === "function") {
            const result = await m.onResponse({
              request,
              response,
              schemaPath,
              params,
              options,
              id
            });
            if (result) {
              if (!(result instanceof Response)) {
                throw new Error("onResponse: must return new Response() when modifying the response");
              }
              response = result;
            }
          }
        }
      }
    }
    const contentLength = response.headers.get("Content-Length");
    if (response.status === 204 || request.method === "HEAD" || contentLength === "0" && !response.headers.get("Transfer-Encoding")?.includes("chunked")) {
      return response.ok ? { data: void 0, response } : { error: void 0, response };
    }
    if (response.ok) {
      const getResponseData = async () => {
        if (parseAs === "stream") {
          return response.body;
        }
        if (parseAs === "json" && !contentLength) {
          const raw = await response.text();
          return raw ? JSON.parse(raw) : void 0;
        }
        return await response[parseAs]();
      };
      return { data: await getResponseData(), response };
    }
    let error = await response.text();
    try {
      error = JSON.parse(error);
    } catch {
    }
    return { error, response };
  }
  return {
    request(method, url, init) {
      return coreFetch(url, { ...init, method: method.toUpperCase() });
    },
    /** Call a GET endpoint */
    GET(url, init) {
      return coreFetch(url, { ...init, method: "GET" });
    },
    /** Call a PUT endpoint */
    PUT(url, init) {
      return coreFetch(url, { ...init, method: "PUT" });
    },
    /** Call a POST endpoint */
    POST(url, init) {
      return coreFetch(url, { ...init, method: "POST" });
    },
    /** Call a DELETE endpoint */
    DELETE(url, init) {
      return coreFetch(url, { ...init, method: "DELETE" });
    },
    /** Call a OPTIONS endpoint */
    OPTIONS(url, init) {
      return coreFetch(url, { ...init, method: "OPTIONS" });
    },
    /** Call a HEAD endpoint */
    HEAD(url, init) {
      return coreFetch(url, { ...init, method: "HEAD" });
    },
    /** Call a PATCH endpoint */
    PATCH(url, init) {
      return coreFetch(url, { ...init, method: "PATCH" });
    },
    /** Call a TRACE endpoint */
    TRACE(url, init) {
      return coreFetch(url, { ...init, method: "TRACE" });
    },
    /** Register middleware */
    use(...middleware) {
      for (const m of middleware) {
        if (!m) {
          continue;
        }
        if (typeof m !== "object" || !("onRequest" in m || "onResponse" in m || "onError" in m)) {
          throw new Error("Middleware must be an object with one of `onRequest()`, `onResponse() or `onError()`");
        }
        globalMiddlewares.push(m);
      }
    },
    /** Unregister middleware */
    eject(...middleware) {
      for (const m of middleware) {
        const i = globalMiddlewares.indexOf(m);
        if (i !== -1) {
          globalMiddlewares.splice(i, 1);
        }
      }
    }
  };
}
function serializePrimitiveParam(name, value, options) {
  if (value === void 0 || value === null) {
    return "";
  }
  if (typeof value === "object") {
    throw new Error(
      "Deeply-nested arrays/objects aren’t supported. Provide your own `querySerializer()` to handle these."
    );
  }
  return `${name}=${options?.allowReserved === true ? value : encodeURIComponent(value)}`;
}
function serializeObjectParam(name, value, options) {
  if (!value || typeof value !== "object") {
    return "";
  }
  const values = [];
  const joiner = {
    simple: ",",
    label: ".",
    matrix: ";"
  }[options.style] || "&";
  if (options.style !== "deepObject" && options.explode === false) {
    for (const k in value) {
      values.push(k, options.allowReserved === true ? value[k] : encodeURIComponent(value[k]));
    }
    const final2 = values.join(",");
    switch (options.style) {
      case "form": {
        return `${name}=${final2}`;
      }
      case "label": {
        return `.${final2}`;
      }
      case "matrix": {
        return `;${name}=${final2}`;
      }
      default: {
        return final2;
      }
    }
  }
  for (const k in value) {
    const finalName = options.style === "deepObject" ? `${name}[${k}]` : k;
    values.push(serializePrimitiveParam(finalName, value[k], options));
  }
  const final = values.join(joiner);
  return options.style === "label" || options.style === "matrix" ? `${joiner}${final}` : final;
}
function serializeArrayParam(name, value, options) {
  if (!Array.isArray(value)) {
    return "";
  }
  if (options.explode === false) {
    const joiner2 = { form: ",", spaceDelimited: "%20", pipeDelimited: "|" }[options.style] || ",";
    const final = (options.allowReserved === true ? value : value.map((v) => encodeURIComponent(v))).join(joiner2);
    switch (options.style) {
      case "simple": {
        return final;
      }
      case "label": {
        return `.${final}`;
      }
      case "matrix": {
        return `;${name}=${final}`;
      }
      // case "spaceDelimited":
      // case "pipeDelimited":
      default: {
        return `${name}=${final}`;
      }
    }
  }
  const joiner = { simple: ",", label: ".", matrix: ";" }[options.style] || "&";
  const values = [];
  for (const v of value) {
    if (options.style === "simple" || options.style === "label") {
      values.push(options.allowReserved === true ? v : encodeURIComponent(v));
    } else {
      values.push(serializePrimitiveParam(name, v, options));
    }
  }
  return options.style === "label" || options.style === "matrix" ? `${joiner}${values.join(joiner)}` : values.join(joiner);
}
function createQuerySerializer(options) {
  return function querySerializer(queryParams) {
    const search = [];
    if (queryParams && typeof queryParams === "object") {
      for (const name in queryParams) {
        const value = queryParams[name];
        if (value === void 0 || value === null) {
          continue;
        }
        if (Array.isArray(value)) {
          if (value.length === 0) {
            continue;
          }
          search.push(
            serializeArrayParam(name, value, {
              style: "form",
              explode: true,
              ...options?.array,
              allowReserved: options?.allowReserved || false
            })
          );
          continue;
        }
        if (typeof value === "object") {
          search.push(
            serializeObjectParam(name, value, {
              style: "deepObject",
              explode: true,
              ...options?.object,
              allowReserved: options?.allowReserved || false
            })
          );
          continue;
        }
        search.push(serializePrimitiveParam(name, value, options));
      }
    }
    return search.join("&");
  };
}
function defaultPathSerializer(pathname, pathParams) {
  let nextURL = pathname;
  for (const match of pathname.match(PATH_PARAM_RE) ?? []) {
    let name = match.substring(1, match.length - 1);
    let explode = false;
    let style = "simple";
    if (name.endsWith("*")) {
      explode = true;
      name = name.substring(0, name.length - 1);
    }
    if (name.startsWith(".")) {
      style = "label";
      name = name.substring(1);
    } else if (name.startsWith(";")) {
      style = "matrix";
      name = name.substring(1);
    }
    if (!pathParams || pathParams[name] === void 0 || pathParams[name] === null) {
      continue;
    }
    const value = pathParams[name];
    if (Array.isArray(value)) {
      nextURL = nextURL.replace(match, serializeArrayParam(name, value, { style, explode }));
      continue;
    }
    if (typeof value === "object") {
      nextURL = nextURL.replace(match, serializeObjectParam(name, value, { style, explode }));
      continue;
    }
    if (style === "matrix") {
      nextURL = nextURL.replace(match, `;${serializePrimitiveParam(name, value)}`);
      continue;
    }
    nextURL = nextURL.replace(match, style === "label" ? `.${encodeURIComponent(value)}` : encodeURIComponent(value));
  }
  return nextURL;
}
function defaultBodySerializer(body, headers) {
  if (body instanceof FormData) {
    return body;
  }
  if (headers) {
    const contentType = headers.get instanceof Function ? headers.get("Content-Type") ?? headers.get("content-type") : headers["Content-Type"] ?? headers["content-type"];
    if (contentType === "application/x-www-form-urlencoded") {
      return new URLSearchParams(body).toString();
    }
  }
  return JSON.stringify(body);
}
function createFinalURL(pathname, options) {
  let finalURL = `${options.baseUrl}${pathname}`;
  if (options.params?.path) {
    finalURL = options.pathSerializer(finalURL, options.params.path);
  }
  let search = options.querySerializer(options.params.query ?? {});
  if (search.startsWith("?")) {
    search = search.substring(1);
  }
  if (search) {
    finalURL += `?${search}`;
  }
  return finalURL;
}
function mergeHeaders(...allHeaders) {
  const finalHeaders = new Headers();
  for (const h of allHeaders) {
    if (!h || typeof h !== "object") {
      continue;
    }
    const iterator = h instanceof Headers ? h.entries() : Object.entries(h);
    for (const [k, v] of iterator) {
      if (v === null) {
        finalHeaders.delete(k);
      } else if (Array.isArray(v)) {
        for (const v2 of v) {
          finalHeaders.append(k, v2);
        }
      } else if (v !== void 0) {
        finalHeaders.set(k, v);
      }
    }
  }
  return finalHeaders;
}
function removeTrailingSlash(url) {
  if (url.endsWith("/")) {
    return url.substring(0, url.length - 1);
  }
  return url;
}

// src/problem.ts
var ProblemError = class extends Error {
  name = "ProblemError";
  /** The HTTP status. */
  status;
  /** The kind of problem, for a program: `invalid-credential`, `too-many-attempts`, … */
  code;
  /** What kind of problem it is, for a person, in the client's language. */
  title;
  /** What to do about it, for a person, in the client's language. */
  detail;
  /** What support asks for. */
  requestId;
  /** Seconds until another try is worth it. */
  retryAfter;
  /** Guesses that are left, where the call carried one proof alone. */
  attemptsRemaining;
  /** Which members break which rule. */
  errors;
  /** The whole body. */
  problem;
  /** Reads a problem from an answer that is not a success. */
  constructor(response, body) {
    const problem = isProblem(body) ? body : foreign(response);
    super(`${problem.status} ${problem.code}: ${problem.detail || problem.title}`);
    this.status = response.status;
    this.code = problem.code;
    this.title = problem.title;
    this.detail = problem.detail;
    this.requestId = problem.request_id;
    this.retryAfter = problem.retry_after ?? seconds(response.headers.get("Retry-After"));
    this.attemptsRemaining = problem.attempts_remaining;
    this.errors = problem.errors ?? [];
    this.problem = problem;
  }
};
var NetworkError = class extends Error {
  name = "NetworkError";
  /** `cause` is what `fetch` threw. */
  constructor(cause) {
    super("No answer came from the service", { cause });
  }
};
function isProblem(body) {
  return typeof body === "object" && body !== null && "code" in body && typeof body.code === "string" && "title" in body && typeof body.title === "string";
}
function foreign(response) {
  return {
    type: "about:blank",
    title: response.statusText || `HTTP ${response.status}`,
    status: response.status,
    detail: "",
    code: "unexpected-answer",
    request_id: response.headers.get("X-Request-Id") ?? ""
  };
}
function seconds(value) {
  return value !== null && /^\d+$/.test(value) ? Number(value) : void 0;
}

// src/answer.ts
function succeeded(answer) {
  return answer.response.ok;
}
function codeOf(answer) {
  return !succeeded(answer) && isProblem(answer.error) ? answer.error.code : void 0;
}
function bodyOf(answer) {
  if (succeeded(answer)) return answer.data;
  throw new ProblemError(answer.response, answer.error);
}
async function once(attempt) {
  return persist(attempt, []);
}
var PAUSES = [250, 1e3, 3e3];
var LONGEST_PAUSE = 1e4;
async function persist(attempt, pauses = PAUSES) {
  let lost;
  for (let tries = 0; ; tries++) {
    const pause = pauses[tries];
    try {
      const answer = await attempt();
      if (!isUndecided(answer, lost !== void 0)) return answer;
      if (pause === void 0 && lost === void 0) return answer;
      if (pause !== void 0) await sleep(Math.max(pause, retryAfter(answer)));
    } catch (cause) {
      if (cause instanceof NetworkError) throw cause;
      if (cause instanceof ProblemError) throw lost === void 0 ? cause : new NetworkError(lost);
      lost = cause ?? "no reason given";
      if (pause !== void 0) await sleep(pause);
    }
    if (pause === void 0) throw new NetworkError(lost);
  }
}
function isUndecided(answer, lost) {
  const status = answer.response.status;
  const code = codeOf(answer);
  if (code === void 0) return status >= 500;
  return code === "outcome-unknown" || code === "request-in-progress" || lost && status === 503;
}
function retryAfter(answer) {
  const seconds2 = succeeded(answer) ? void 0 : new ProblemError(answer.response, answer.error).retryAfter;
  return Math.min((seconds2 ?? 0) * 1e3, LONGEST_PAUSE);
}
function sleep(milliseconds) {
  return new Promise((wake) => setTimeout(wake, milliseconds));
}

// src/calls.ts
var READ = { repeats: true, keyed: false, changesTokens: false };
var POST = { repeats: true, keyed: true, changesTokens: false };
var POST_FOR_TOKENS = { repeats: true, keyed: true, changesTokens: true };
var PUT = { repeats: true, keyed: false, changesTokens: false };
var CHANGE = { repeats: false, keyed: false, changesTokens: false };
var Calls = class {
  constructor(session, init, stepUp) {
    this.session = session;
    this.init = init;
    this.stepUp = stepUp;
  }
  session;
  init;
  stepUp;
  /** Makes a call that brings no tokens. */
  async make(attempt, manner) {
    return bodyOf(await this.#assured(attempt, manner));
  }
  /** Makes a call that brings tokens, keeps them, and gives the rest. */
  async makeForTokens(attempt) {
    const { tokens: _, ...rest } = bodyOf(await this.#assured(attempt, POST_FOR_TOKENS));
    return rest;
  }
  async #assured(attempt, manner) {
    const key = manner.keyed ? randomKey() : void 0;
    const first = await this.#tried(attempt, manner, key);
    if (codeOf(first) !== "insufficient-user-authentication") return first;
    const demand = { maxAge: maxAge(first.response) };
    return await this.stepUp(demand) ? this.#tried(attempt, manner, key) : first;
  }
  #tried(attempt, manner, key) {
    const run = () => persist(() => this.#authorized(attempt, manner, key), manner.repeats ? void 0 : []);
    if (!manner.changesTokens) return run();
    return this.session.changing(async () => {
      const answer = await run();
      await this.#adopt(answer);
      return answer;
    });
  }
  async #authorized(attempt, manner, key) {
    const token = await this.session.accessToken(manner.changesTokens);
    const answer = await attempt(this.#with(token, key));
    if (token === void 0 || codeOf(answer) !== "invalid-token") return answer;
    const fresh = await this.session.renew(token, manner.changesTokens);
    return fresh === void 0 ? answer : attempt(this.#with(fresh, key));
  }
  // A replay tells no secret: it has no tokens, or is already-completed. Then a pair that we never saw is the current
  // one, and ours is accepted for seconds only.
  async #adopt(answer) {
    const tokens = succeeded(answer) ? tokensIn(answer.data) : void 0;
    if (tokens) this.session.replace(tokens);
    else if (tokens === null || codeOf(answer) === "already-completed") await this.session.catchUp();
  }
  #with(token, key) {
    const init = this.init();
    if (token !== void 0) init.headers["Authorization"] = `Bearer ${token}`;
    if (key !== void 0) init.headers["Idempotency-Key"] = key;
    return init;
  }
};
function tokensIn(data) {
  if (typeof data !== "object" || data === null || !("tokens" in data)) return void 0;
  return isTokens(data.tokens) ? data.tokens : null;
}
function isTokens(value) {
  return typeof value === "object" && value !== null && "access_token" in value && "refresh_token" in value;
}
function maxAge(response) {
  const found = /max_age="?(\d+)/.exec(response.headers.get("WWW-Authenticate") ?? "");
  return Number(found?.[1] ?? 0);
}
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// src/tokens.ts
var MemoryStore = class {
  #tokens = null;
  /** The tokens, or null while nobody is signed in. */
  load() {
    return this.#tokens;
  }
  /** Replaces the tokens; null forgets them. */
  save(tokens) {
    this.#tokens = tokens;
  }
};
function stored(tokens) {
  const { access_token, refresh_token, expires_in, acr, amr } = tokens;
  return { access_token, refresh_token, expires_at: Date.now() + expires_in * 1e3, acr, amr };
}

// src/session.ts
var MARGIN = 1e4;
var ONE_MORE_TRY = [250];
var Session = class {
  constructor(store, refresh, onSignedOut) {
    this.store = store;
    this.refresh = refresh;
    this.onSignedOut = onSignedOut;
  }
  store;
  refresh;
  onSignedOut;
  #renewal;
  #changes = /* @__PURE__ */ new Set();
  /** Whether there are tokens. Whether they are still accepted is known only to the service. */
  get isOpen() {
    return this.store.load() !== null;
  }
  /** Keeps a new pair. */
  replace(tokens) {
    this.store.save(stored(tokens));
  }
  /** Forgets the tokens. */
  close() {
    this.store.save(null);
  }
  /** An access token that lives long enough for a call; undefined while nobody is signed in. */
  async accessToken(changes) {
    if (this.#renewal !== void 0) return this.#renewal;
    const held = this.store.load();
    if (held === null) return void 0;
    return held.expires_at - MARGIN > Date.now() ? held.access_token : this.renew(held.access_token, changes);
  }
  /**
   * An access token other than the one that was refused; undefined when the session is over. `changes` is for calls
   * inside `changing`: they would wait for themselves.
   */
  async renew(refused, changes) {
    if (!changes) await Promise.allSettled(this.#changes);
    const held = this.store.load();
    if (held === null || held.access_token !== refused) return held?.access_token;
    this.#renewal ??= this.#trade(held).finally(() => {
      this.#renewal = void 0;
    });
    return this.#renewal;
  }
  /** Runs a call whose answer replaces the tokens: a refresh beside it would leave us with the pair that lost. */
  async changing(call) {
    const running = call();
    this.#changes.add(running);
    try {
      return await running;
    } finally {
      this.#changes.delete(running);
    }
  }
  /** Refreshes after an answer that brought no tokens though there are new ones; the call itself has succeeded. */
  async catchUp() {
    const held = this.store.load();
    if (held === null) return;
    try {
      await this.renew(held.access_token, true);
    } catch {
    }
  }
  async #trade(held) {
    const answer = await persist(() => this.refresh(held.refresh_token), ONE_MORE_TRY);
    const now = this.store.load();
    if (now === null) return void 0;
    if (!succeeded(answer) && now.refresh_token !== held.refresh_token) return now.access_token;
    if (succeeded(answer)) {
      this.replace(answer.data);
      return answer.data.access_token;
    }
    if (![400, 401].includes(answer.response.status)) throw new ProblemError(answer.response, answer.error);
    this.close();
    this.onSignedOut();
    return void 0;
  }
};

// src/twofold.ts
var Twofold = class {
  /** Sent as `Accept-Language` from the next call on. */
  language;
  #api;
  #session;
  #calls;
  #timeout;
  #device;
  #onStepUp;
  #steppingUp;
  constructor(options = {}) {
    const send = options.fetch ?? ((input) => fetch(input));
    this.language = options.language;
    this.#timeout = options.timeout ?? 3e4;
    this.#onStepUp = options.onStepUp;
    this.#device = options.device;
    this.#api = createClient({ baseUrl: options.baseUrl ?? "", fetch: (request) => send(request) });
    this.#session = new Session(
      options.store ?? new MemoryStore(),
      (refresh_token) => this.#api.POST("/auth/token/refresh", { ...this.#init(), body: { refresh_token } }),
      () => options.onSignedOut?.()
    );
    this.#calls = new Calls(this.#session, () => this.#init(), (demand) => this.#stepUp(demand));
  }
  /** Whether there are tokens. The service may have ended the session meanwhile: the next call tells. */
  get isSignedIn() {
    return this.#session.isOpen;
  }
  /** Signs in by password. While two-factor authentication is on, `answer` completes it, unless the device is remembered. */
  async signIn(email, password) {
    const device = this.#device?.load();
    const body = { email, password, ...device ? { device_token: device } : {} };
    const answer = bodyOf(await once(() => this.#api.POST("/auth/login", { ...this.#init(), body })));
    return answer.result === "second_factor_required" ? answer : this.#signedIn(answer);
  }
  /** Asks for what answers a challenge: the question for a passkey, or a code that is sent. What was asked before is void. */
  async startAnswer(challenge, method) {
    const body = { challenge, method };
    return bodyOf(await once(() => this.#api.POST("/auth/login/second-factor/start", { ...this.#init(), body })));
  }
  /** Completes a sign-in with the second factor. `rememberDevice` spares it the next ones; it needs `Options.device`. */
  async answer(challenge, proof, { rememberDevice = false } = {}) {
    const body = { challenge, ...proof, ...rememberDevice && this.#device ? { remember_device: true } : {} };
    return this.#signedIn(bodyOf(await once(() => this.#api.POST("/auth/login/second-factor", { ...this.#init(), body }))));
  }
  #signedIn({ result, tokens, setup_required, device_token }) {
    this.#session.replace(tokens);
    if (device_token !== void 0) this.#device?.save(device_token);
    return { result, setup_required };
  }
  /** Ends the session. The tokens are forgotten even when the service could not be told. */
  async signOut() {
    try {
      await this.#calls.make((init) => this.#api.POST("/auth/logout", init), POST_FOR_TOKENS);
    } catch (error) {
      if (!(error instanceof ProblemError && error.status === 401)) throw error;
    } finally {
      this.#session.close();
    }
  }
  /** The Account Security tab. */
  overview() {
    return this.#calls.make((init) => this.#api.GET("/account/security", init), READ);
  }
  /** How two-factor authentication stands, and what the owner may do about it now. */
  status() {
    return this.#calls.make((init) => this.#api.GET("/account/security/2fa", init), READ);
  }
  /** The numbers in force: windows, lives, budgets. Needs no sign-in. */
  async policy() {
    return bodyOf(await persist(() => this.#api.GET("/.well-known/two-factor-policy", this.#init())));
  }
  /** What the link of a mail would take back. Needs no sign-in. */
  async previewUndo(token) {
    const body = { token };
    return bodyOf(await persist(() => this.#api.POST("/account/security/2fa/undo/preview", { ...this.#init(), body })));
  }
  /** Takes a disable back by the link of the mail about it, once. Needs no sign-in; every session ends. */
  async undo(token, newPassword) {
    const body = { token, new_password: newPassword };
    return bodyOf(await once(() => this.#api.POST("/account/security/2fa/undo", { ...this.#init(), body })));
  }
  /** Ends the reminders that two-factor authentication is off, by the link in one of them. Needs no sign-in. */
  async stopReminders(token) {
    const body = { token };
    bodyOf(await persist(() => this.#api.POST("/account/security/2fa/reminders/stop", { ...this.#init(), body })));
  }
  /** A page of the security log, newest first. */
  events(page = {}) {
    const params = { query: page };
    return this.#calls.make((init) => this.#api.GET("/account/security/events", { ...init, params }), READ);
  }
  /** The sessions that are alive, newest first. */
  sessions() {
    return this.#calls.make((init) => this.#api.GET("/account/security/sessions", init), READ);
  }
  /** Ends a session. */
  async endSession(sid) {
    const params = { path: { sid } };
    await this.#calls.make((init) => this.#api.DELETE("/account/security/sessions/{sid}", { ...init, params }), CHANGE);
  }
  /** Ends every session but this one. */
  endOtherSessions() {
    return this.#calls.make((init) => this.#api.POST("/account/security/sessions/end-others", init), POST);
  }
  /** The partners that may see whether the account is protected, the oldest first. */
  partners() {
    return this.#calls.make((init) => this.#api.GET("/account/security/partners", init), READ);
  }
  /** Lets a partner see the account; one that sees it already still does. */
  async allowPartner(id) {
    const params = { path: { id } };
    await this.#calls.make((init) => this.#api.PUT("/account/security/partners/{id}", { ...init, params }), PUT);
  }
  /** Lets a partner see the account no more. */
  async refusePartner(id) {
    const params = { path: { id } };
    await this.#calls.make((init) => this.#api.DELETE("/account/security/partners/{id}", { ...init, params }), CHANGE);
  }
  /** The devices that are remembered: signing in there takes the password alone. */
  devices() {
    return this.#calls.make((init) => this.#api.GET("/account/security/devices", init), READ);
  }
  /** Forgets a device. */
  async forgetDevice(id) {
    const params = { path: { id } };
    await this.#calls.make((init) => this.#api.DELETE("/account/security/devices/{id}", { ...init, params }), CHANGE);
  }
  /** Forgets every device. */
  forgetAllDevices() {
    return this.#calls.make((init) => this.#api.POST("/account/security/devices/forget-all", init), POST);
  }
  /** Starts the enrolment of an authenticator app. The secret is in this answer and nowhere else. */
  startEnrolment(start) {
    return this.#calls.make((init) => this.#api.POST("/account/security/2fa/totp", { ...init, body: start }), POST);
  }
  /** An enrolment, without its secret. */
  enrolment(id) {
    const params = { path: { id } };
    return this.#calls.make((init) => this.#api.GET("/account/security/2fa/totp/{id}", { ...init, params }), READ);
  }
  /** Puts the authenticator in service with its first code. The recovery codes are in this answer and nowhere else. */
  confirmEnrolment(id, code) {
    const init = { params: { path: { id } }, body: { code } };
    return this.#calls.makeForTokens((common) => this.#api.POST("/account/security/2fa/totp/{id}/confirm", { ...common, ...init }));
  }
  /** Gives up an enrolment. */
  async cancelEnrolment(id) {
    const params = { path: { id } };
    await this.#calls.make((init) => this.#api.DELETE("/account/security/2fa/totp/{id}", { ...init, params }), CHANGE);
  }
  /** Calls an authenticator something else. */
  renameMethod(id, label) {
    const init = { params: { path: { id } }, body: { label } };
    return this.#calls.make((common) => this.#api.PATCH("/account/security/2fa/methods/{id}", { ...common, ...init }), CHANGE);
  }
  /** Takes one of several authenticators out of service. */
  removeMethod(id, proofs) {
    const init = { params: { path: { id } }, body: proofs };
    return this.#calls.makeForTokens((common) => this.#api.POST("/account/security/2fa/methods/{id}/remove", { ...common, ...init }));
  }
  /** What a disable would do, and what it takes. */
  previewDisable() {
    return this.#calls.make((init) => this.#api.GET("/account/security/2fa/disable/preview", init), READ);
  }
  /** Switches two-factor authentication off. */
  disable(request) {
    return this.#calls.makeForTokens((init) => this.#api.POST("/account/security/2fa/disable", { ...init, body: request }));
  }
  /** Makes a new set of recovery codes; the old set is dead. */
  async regenerateRecoveryCodes(proofs) {
    const attempt = (init) => this.#api.POST("/account/security/2fa/recovery-codes", { ...init, body: proofs });
    return (await this.#calls.make(attempt, POST)).recovery_codes;
  }
  /** Asks for what `verify` proves: the question for a passkey, or a code that is sent. What was asked before is void. */
  startVerify(method) {
    const body = { method };
    return this.#calls.make((init) => this.#api.POST("/account/security/2fa/verify/start", { ...init, body }), CHANGE);
  }
  /** Step-up: proves the second factor in this session. */
  async verify(proof) {
    await this.#calls.makeForTokens(wrapped((init) => this.#api.POST("/account/security/2fa/verify", { ...init, body: proof })));
  }
  /** Changes the password; every other session ends. */
  async changePassword(request) {
    await this.#calls.makeForTokens(wrapped((init) => this.#api.POST("/account/password", { ...init, body: request })));
  }
  #init() {
    const headers = this.language === void 0 ? {} : { "Accept-Language": this.language };
    return { headers, signal: AbortSignal.timeout(this.#timeout) };
  }
  // One question for the owner, however many calls wait for it.
  async #stepUp(demand) {
    this.#steppingUp ??= this.#prove(demand).finally(() => {
      this.#steppingUp = void 0;
    });
    return this.#steppingUp;
  }
  async #prove(demand) {
    let isProved = false;
    await this.#onStepUp?.(demand, async (proof) => {
      await this.verify(proof);
      isProved = true;
    });
    return isProved;
  }
};
function wrapped(attempt) {
  return async (init) => {
    const answer = await attempt(init);
    return succeeded(answer) ? { data: { tokens: answer.data ?? null }, response: answer.response } : answer;
  };
}
export {
  MemoryStore,
  NetworkError,
  ProblemError,
  Twofold
};
