//! Makes tokens that are wrong in one thing. Those whose header or claims are wrong are signed with the service's
//! own key, so that nothing but the check in question can refuse them.

use crate::support::{TestApp, dice::Dice};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use twofold::crypto::{
    keyfile::{KeyFile, SigningAlgorithm},
    keyring::Keyring,
};

/// A token that must not be taken, and why.
#[derive(Clone, Debug)]
pub struct Forgery {
    pub what: String,
    pub token: String,
}

/// Starts from a good token of a service whose key it holds.
pub struct Forger<'a> {
    app: &'a TestApp,
    pub good: String,
    header: Value,
    claims: Value,
}

fn encoded(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

fn part(token: &str, n: usize) -> Value {
    let bytes = BASE64URL_NOPAD.decode(token.split('.').nth(n).unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn signed_by(key: &EncodingKey, algorithm: Algorithm, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

impl<'a> Forger<'a> {
    pub fn new(app: &'a TestApp, good: String) -> Self {
        let (header, claims) = (part(&good, 0), part(&good, 1));
        Self { app, good, header, claims }
    }

    /// What a token says of itself.
    pub fn header_of(token: &str) -> Value {
        part(token, 0)
    }

    /// A claim of the good token.
    pub fn claim(&self, name: &str) -> Value {
        self.claims[name].clone()
    }

    /// A token with these very texts, signed as the service signs.
    fn sign(&self, header: &str, claims: &str) -> String {
        let ring = self.app.rooms().keys.ring();
        let key = &ring.signer.keys[0];
        signed_by(&key.private, key.algorithm, header, claims)
    }

    /// The good token, taken apart and put together again.
    pub fn control(&self) -> String {
        self.sign(&self.header.to_string(), &self.claims.to_string())
    }

    fn with_header(&self, member: &str, value: Value) -> Forgery {
        let mut header = self.header.clone();
        header[member] = value.clone();
        let token = self.sign(&header.to_string(), &self.claims.to_string());
        Forgery { what: format!("header {member}: {}", shortened(&value)), token }
    }

    fn with_claim(&self, member: &str, value: Value) -> Forgery {
        let mut claims = self.claims.clone();
        claims[member] = value.clone();
        let token = self.sign(&self.header.to_string(), &claims.to_string());
        Forgery { what: format!("claim {member}: {}", shortened(&value)), token }
    }

    /// Headers that would steer the check: algorithm, key, type, and everything that names a key elsewhere.
    pub fn headers(&self, canary: &str) -> Vec<Forgery> {
        let algorithms =
            ["none", "None", "nOnE", "", "HS256", "HS512", "RS256", "PS256", "ES256", "ES384", "EDDSA", "dir"];
        let key_ids =
            ["../../dev/null", "' OR 1=1--", "|id", "", "ключ", "\u{0}", "__proto__", "%2e%2e", "a b", "0", "null"];
        let kid = self.header["kid"].as_str().unwrap();
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let mut forgeries: Vec<Forgery> = algorithms.iter().map(|name| self.with_header("alg", json!(name))).collect();
        forgeries.extend(
            [json!(null), json!(["EdDSA"]), json!({"EdDSA": null}), json!({})]
                .map(|value| self.with_header("alg", value)),
        );
        forgeries.extend(key_ids.iter().map(|id| self.with_header("kid", json!(id))));
        forgeries
            .extend([json!(null), json!(7), json!([kid]), json!("k".repeat(2000))].map(|v| self.with_header("kid", v)));
        forgeries.push(self.with_header("kid", json!(format!("{kid} "))));
        for kind in ["JWT", "jwt", "at+JWT", "AT+JWT", "application/at+jwt", "mfa-challenge+jwt", "", "refresh+jwt"] {
            forgeries.push(self.with_header("typ", json!(kind)));
        }
        forgeries.extend([json!(null), json!(["at+jwt"]), json!(1)].map(|value| self.with_header("typ", value)));
        for (member, value) in [
            ("jku", json!(format!("{canary}/jwks.json"))),
            ("x5u", json!(format!("{canary}/cert.pem"))),
            ("jwk", jwk.clone()),
            ("jwk", json!({"kid": kid, "x5u": canary})),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("AAAA")),
            ("x5t#S256", json!("AAAA")),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("zip", json!("DEF")),
            ("cty", json!("JWT")),
            ("epk", jwk),
            ("enc", json!("A256GCM")),
            ("b64", json!(false)),
            ("p2c", json!(2_000_000_000)),
            ("p2s", json!("AAAA")),
            ("url", json!(canary)),
        ] {
            forgeries.push(self.with_header(member, value));
        }
        for member in ["alg", "typ", "kid"] {
            let mut header = self.header.clone();
            header.as_object_mut().unwrap().remove(member);
            let token = self.sign(&header.to_string(), &self.claims.to_string());
            forgeries.push(Forgery { what: format!("header without {member}"), token });
        }
        forgeries
    }

    /// Claims that are missing, of another kind, of another realm, or of another time.
    pub fn claims(&self, others: &[(&str, Value)]) -> Vec<Forgery> {
        let now = self.claims["iat"].as_i64().unwrap();
        let mut forgeries = Vec::new();
        for member in
            ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "auth_time", "acr", "amr", "scope", "epoch"]
        {
            let mut claims = self.claims.clone();
            let value = claims.as_object_mut().unwrap().remove(member).unwrap();
            let token = self.sign(&self.header.to_string(), &claims.to_string());
            forgeries.push(Forgery { what: format!("without {member}"), token });
            forgeries.extend([json!(null), json!([]), json!({})].map(|other| self.with_claim(member, other)));
            forgeries.push(self.with_claim(member, json!([value])).except(member == "amr"));
            if value.is_number() {
                forgeries.push(self.with_claim(member, json!(value.to_string())));
                forgeries.push(self.with_claim(member, json!(value.as_f64().unwrap() + 0.5)));
                forgeries.push(self.with_claim(member, json!("never")));
            } else if value.is_string() && member != "scope" {
                forgeries.push(self.with_claim(member, json!("")));
                forgeries.push(self.with_claim(member, json!(1)));
            }
        }
        for (member, value) in [
            ("exp", json!(-1)),
            ("exp", json!(0)),
            ("exp", json!(now)),
            ("exp", json!(now - 1)),
            ("exp", json!(now + 601)),
            ("exp", json!(i64::MAX)),
            ("exp", json!(u64::MAX)),
            ("nbf", json!(now + 3600)),
            ("nbf", json!(i64::MAX)),
            ("iat", json!(now + 3600)),
            ("iat", json!(i64::MIN)),
            ("iat", json!(0)),
            ("auth_time", json!(now + 3600)),
            ("auth_time", json!(i64::MAX)),
            ("iss", json!("twofold.example")),
            ("iss", json!("Twofold")),
            ("aud", json!("account-security ")),
            ("aud", json!("account")),
            ("aud", json!(["account-security", "other"])),
            ("sub", json!("alice@example.test")),
            ("sub", json!("00000000-0000-0000-0000-000000000000")),
            ("acr", json!("aal3")),
            ("acr", json!("AAL2")),
            ("amr", json!("pwd")),
            ("amr", json!(["root"])),
            ("amr", json!(["pwd"])),
            ("acr", json!("aal1")),
            ("acr", json!({"aal2": null})),
            ("amr", json!([{"pwd": null}, "otp", "mfa"])),
            ("scope", json!(["support"])),
            ("epoch", json!(i64::MAX)),
        ] {
            forgeries.push(self.with_claim(member, value));
        }
        forgeries.extend(others.iter().map(|(member, value)| self.with_claim(member, value.clone())));
        forgeries.extend(self.texts());
        forgeries
    }

    /// Texts that no serialiser writes: members twice, numbers out of range, something behind the end.
    fn texts(&self) -> Vec<Forgery> {
        let (header, claims) = (self.header.to_string(), self.claims.to_string());
        let mut texts = Vec::new();
        for member in ["exp", "sub", "epoch", "acr", "aud"] {
            let own = format!("\"{member}\":{}", self.claims[member]);
            for (other, place) in [("1", "before"), ("\"x\"", "before"), (own.split_once(':').unwrap().1, "same")] {
                let twice = format!("\"{member}\":{other},{own}");
                texts.push((
                    format!("{member} twice, {other} {place}"),
                    header.clone(),
                    claims.replacen(&own, &twice, 1),
                ));
                let twice = format!("{own},\"{member}\":{other}");
                texts.push((
                    format!("{member} twice, {other} behind"),
                    header.clone(),
                    claims.replacen(&own, &twice, 1),
                ));
            }
        }
        for member in ["alg", "typ", "kid"] {
            let own = format!("\"{member}\":{}", self.header[member]);
            texts.push((format!("{member} twice"), header.replacen(&own, &format!("{own},{own}"), 1), claims.clone()));
        }
        let exp = format!("\"exp\":{}", self.claims["exp"]);
        for number in ["1e400", "-1e400", "1e10", "0x7fffffff", "9999999999999999999999", "+1", "NaN", "Infinity"] {
            texts.push((
                format!("exp {number}"),
                header.clone(),
                claims.replacen(&exp, &format!("\"exp\":{number}"), 1),
            ));
        }
        for (what, before, after) in [
            ("a byte order mark", "\u{feff}", ""),
            ("garbage behind", "", "x"),
            ("another object behind", "", "{}"),
            ("a NUL behind", "", "\u{0}"),
        ] {
            texts.push((format!("claims with {what}"), header.clone(), format!("{before}{claims}{after}")));
            texts.push((format!("a header with {what}"), format!("{before}{header}{after}"), claims.clone()));
        }
        for whole in ["", "null", "[]", "\"\"", "1", "{}"] {
            texts.push((format!("claims {whole:?}"), header.clone(), whole.to_owned()));
            texts.push((format!("a header {whole:?}"), whole.to_owned(), claims.clone()));
        }
        texts.into_iter().map(|(what, header, claims)| Forgery { what, token: self.sign(&header, &claims) }).collect()
    }

    /// Other keys: no signature, another ring's, and ours as the secret of a symmetric algorithm.
    pub fn signatures(&self) -> Vec<Forgery> {
        let jwks: Value = serde_json::from_str(&self.app.rooms().keys.ring().signer.jwks).unwrap();
        let jwk = &jwks["keys"][0];
        let raw = BASE64URL_NOPAD.decode(jwk["x"].as_str().unwrap().as_bytes()).unwrap();
        // SubjectPublicKeyInfo of Ed25519 (RFC 8410 §4).
        let der = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &raw].concat();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(&der));
        let claims = self.claims.to_string();
        let mut forgeries = Vec::new();
        for (form, secret) in [
            ("raw", raw),
            ("DER", der),
            ("PEM", pem.clone().into_bytes()),
            ("PEM without its last line break", pem.trim_end().as_bytes().to_vec()),
            ("JWK", jwk.to_string().into_bytes()),
            ("JWK set", jwks.to_string().into_bytes()),
            ("empty", Vec::new()),
        ] {
            for (name, algorithm) in
                [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)]
            {
                for says in [name, "EdDSA"] {
                    let mut header = self.header.clone();
                    header["alg"] = json!(says);
                    let key = EncodingKey::from_secret(&secret);
                    let token = signed_by(&key, algorithm, &header.to_string(), &claims);
                    forgeries
                        .push(Forgery { what: format!("{name} by the {form} public key, said to be {says}"), token });
                }
            }
        }
        for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
            let ring = Keyring::new(&KeyFile::generate(algorithm, false).unwrap()).unwrap();
            let key = &ring.signer.keys[0];
            for kid in [self.header["kid"].as_str().unwrap(), &key.id] {
                for alg in ["EdDSA", "ES256"] {
                    let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid}).to_string();
                    let token = signed_by(&key.private, key.algorithm, &header, &claims);
                    forgeries.push(Forgery { what: format!("{algorithm:?} of another ring, {alg}, kid {kid}"), token });
                }
            }
        }
        forgeries
    }

    /// The form of the token itself.
    pub fn forms(&self, other: &str) -> Vec<Forgery> {
        let parts: Vec<&str> = self.good.split('.').collect();
        let (header, claims, signature) = (parts[0], parts[1], parts[2]);
        let theirs: Vec<&str> = other.split('.').collect();
        let json = json!({"payload": claims, "protected": header, "signature": signature}).to_string();
        let forms = [
            String::new(),
            ".".into(),
            "..".into(),
            "....".into(),
            format!("{header}.{claims}"),
            format!("{header}.{claims}."),
            format!("{header}..{signature}"),
            format!(".{claims}.{signature}"),
            format!("{header}.{claims}.{signature}."),
            format!(".{header}.{claims}.{signature}"),
            format!("{header}.{claims}.{signature}.{signature}"),
            format!("{header}.{claims}.{signature}.{signature}.{signature}"),
            format!("{claims}.{header}.{signature}"),
            format!("{header}.{}.{signature}", theirs[1]),
            format!("{header}.{claims}.{}", theirs[2]),
            format!("{}=.{claims}.{signature}", header),
            format!("{header}.{claims}=.{signature}"),
            format!("{header}.{claims}.{signature}="),
            format!("{header}.{claims}.{signature}=="),
            format!("{header} .{claims}.{signature}"),
            format!("{header}. {claims}.{signature}"),
            format!("{header}.{claims}. {signature}"),
            format!("\u{feff}{header}.{claims}.{signature}"),
            format!("{header}.{claims}.{}", "A".repeat(86)),
            format!("{header}.{claims}.{}", "A".repeat(4097)),
            format!("{header}.{claims}.{signature}{}", "A".repeat(20_000)),
            format!("Bearer {}", self.good),
            format!("{},{}", self.good, self.good),
            format!("{} {}", self.good, self.good),
            json,
        ];
        let form =
            |token: String| Forgery { what: format!("form {}", token.chars().take(40).collect::<String>()), token };
        forms.into_iter().map(form).collect()
    }

    /// One change of one good token, by chance: a character, a cut, or something in between.
    pub fn mutation(&self, dice: &mut Dice) -> Forgery {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/=~";
        let mut bytes = self.good.clone().into_bytes();
        let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
        let letter = ALPHABET[usize::try_from(dice.below(ALPHABET.len() as u64)).unwrap()];
        match dice.below(8) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, letter),
            2 => drop(bytes.remove(at)),
            3 => bytes.swap(at, 0),
            // The end of the signature, where unused bits could hide.
            4 => *bytes.last_mut().unwrap() = letter,
            _ => bytes[at] = letter,
        }
        Forgery { what: format!("a change at {at}"), token: String::from_utf8(bytes).unwrap() }
    }
}

impl Forgery {
    /// Where the change is none after all, the token is spoilt in another way.
    fn except(mut self, is_none: bool) -> Self {
        if is_none {
            self.token.push('A');
        }
        self
    }
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}
