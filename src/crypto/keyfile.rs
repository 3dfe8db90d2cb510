//! The key file: made by `keys generate`, read at the start and whenever it has changed, refused when it is not
//! fit for service. How its keys take turns is in `rotation.rs`.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use data_encoding::BASE64;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use super::{random::Random, rotation::Turn};
use crate::domain::{replica::KeyIds, secret::Secret};

/// Bytes of every symmetric key.
pub const KEY_BYTES: usize = 32;
const ROOT: u32 = 0;
const HEADER: &str = "# Twofold keys. Whoever holds this file can sign tokens and open secrets: mode 0600, backed up apart\n\
                      # from the database. In each list the first key makes, all of them are accepted.\n\n";

/// The file as it is written: keys in lists, each list for one purpose.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// The format; 1.
    pub version: u32,
    /// Set in keys that `demo` makes for itself; `serve` refuses them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
    /// Seal secrets at rest (AES-256-GCM-SIV).
    pub sealing: Vec<SymmetricKey>,
    /// Hash recovery codes, refresh tokens, challenges (HMAC-SHA-256).
    pub hashing: Vec<SymmetricKey>,
    /// Names what is looked up by a secret or personal value: buckets of addresses, idempotency keys
    /// (HMAC-SHA-256). One key, since all replicas must give one thing one name; another key forgets names.
    pub naming: SymmetricKey,
    /// Chain audit rows (HMAC-SHA-256).
    pub audit: Vec<SymmetricKey>,
    /// Sign access tokens.
    pub signing: Vec<SigningKey>,
}

/// A symmetric key of 256 bits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SymmetricKey {
    /// Its name, stored beside what it made.
    pub id: String,
    key: String,
    /// Where it stands, when it is not simply in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
}

/// A key pair.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKey {
    /// Its name: the `kid` of the tokens that it signs.
    pub id: String,
    /// The algorithm that it signs with.
    pub algorithm: SigningAlgorithm,
    pkcs8: String,
    /// Where it stands, when it is not simply in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
}

/// The signature algorithms of access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum SigningAlgorithm {
    /// Ed25519 (RFC 8037).
    #[default]
    #[serde(rename = "EdDSA")]
    #[value(name = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    #[serde(rename = "ES256")]
    #[value(name = "ES256")]
    Es256,
}

/// Why a key file is refused: one sentence, with what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(pub String);

impl KeyFile {
    /// Fresh keys of every kind.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn generate(algorithm: SigningAlgorithm, demo: bool) -> Result<Self, Unfit> {
        Ok(Self {
            version: 1,
            demo,
            sealing: vec![SymmetricKey::generate("s", None)?],
            hashing: vec![SymmetricKey::generate("h", None)?],
            naming: SymmetricKey::generate("n", None)?,
            audit: vec![SymmetricKey::generate("a", None)?],
            signing: vec![SigningKey::generate(algorithm, None)?],
        })
    }

    /// Writes the keys to a file that must not exist yet, readable by its owner alone.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Unfit> {
        self.write_new(path)
            .map_err(|error| Unfit(format!("cannot write keys to {}: {error}; name a new file", path.display())))
    }

    /// Puts the keys in the place of a key file, at once and whole: whoever reads it meanwhile, or after a power
    /// cut, finds either the old keys or these. Nobody else may do so at the same time.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn replace(&self, path: &Path) -> Result<(), Unfit> {
        let failed = |error: io::Error| Unfit(format!("cannot replace the keys in {}: {error}", path.display()));
        // A link is followed, not replaced.
        let path = fs::canonicalize(path).map_err(failed)?;
        let mut beside = path.clone().into_os_string();
        beside.push(".new");
        let _left_by_a_crash = fs::remove_file(&beside);
        self.write_new(Path::new(&beside)).map_err(failed)?;
        fs::rename(&beside, &path).map_err(failed)?;
        File::open(path.parent().unwrap_or(Path::new("/"))).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    fn write_new(&self, path: &Path) -> io::Result<()> {
        let body = toml::to_string(self).map_err(io::Error::other)?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(format!("{HEADER}{body}").as_bytes())?;
        file.sync_all()
    }

    /// The names of the keys.
    pub fn ids(&self) -> KeyIds {
        let names = |keys: &[SymmetricKey]| keys.iter().map(|key| key.id.clone()).collect();
        KeyIds {
            sealing: names(&self.sealing),
            hashing: names(&self.hashing),
            naming: self.naming.id.clone(),
            audit: names(&self.audit),
            signing: self.signing.iter().map(|key| key.id.clone()).collect(),
        }
    }

    /// Reads the keys that `serve` is to work with.
    ///
    /// # Errors
    /// When the file is missing, readable by others, malformed, made by `demo`, or holds a weak key.
    pub fn read(path: &Path) -> Result<Self, Unfit> {
        let shown = path.display();
        let metadata = fs::metadata(path).map_err(|error| {
            Unfit(format!(
                "cannot read the key file {shown}: {error}; put it back from its backup, or make one for a new \
                 installation with `twofold keys generate --out {shown}`"
            ))
        })?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & !allowed_mode(metadata.uid(), geteuid().as_raw()) != 0 {
            return Err(Unfit(format!(
                "the key file {shown} has mode {mode:04o}, so others can reach it; run `chmod 600 {shown}`"
            )));
        }
        let text =
            fs::read_to_string(path).map_err(|error| Unfit(format!("cannot read the key file {shown}: {error}")))?;
        // The parser's own message would quote the line, and the line holds a key.
        let keys: Self = toml::from_str(&text).map_err(|_| {
            Unfit(format!("{shown} is not a key file of Twofold; put it back from its backup (`twofold keys generate` makes one for a new installation)"))
        })?;
        if keys.demo {
            return Err(Unfit(format!(
                "{shown} holds sample keys made by `demo`; make your own with `twofold keys generate`"
            )));
        }
        keys.check()
            .map_err(|problem| Unfit(format!("{shown}: {problem}; put it back from its backup (`twofold keys generate` makes one for a new installation)")))?;
        Ok(keys)
    }

    fn check(&self) -> Result<(), String> {
        if self.version != 1 {
            return Err(format!("the format is version {}, and this program reads version 1", self.version));
        }
        self.naming.secret().map_err(|problem| format!("the naming key {problem}"))?;
        for (list, keys) in [("sealing", &self.sealing), ("hashing", &self.hashing), ("audit", &self.audit)] {
            has_distinct_ids(list, keys.iter().map(|key| key.id.as_str()))?;
            for key in keys {
                key.secret().map_err(|problem| format!("the {list} key {:?} {problem}", key.id))?;
            }
        }
        has_distinct_ids("signing", self.signing.iter().map(|key| key.id.as_str()))?;
        self.check_turns()
    }
}

/// What a key file may allow. Our own is ours alone. One of root's that is handed to us is readable by us as its group:
/// so do credentials of systemd since 254, whose list of access shows as the group's bits, and secrets of Kubernetes.
/// The same rule as PostgreSQL's for the key of its certificate.
fn allowed_mode(owner: u32, us: u32) -> u32 {
    if owner == ROOT && us != ROOT { 0o640 } else { 0o700 }
}

fn has_distinct_ids<'a>(list: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let ids: Vec<&str> = ids.collect();
    let is_name =
        |id: &str| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    match ids.iter().enumerate().find(|(n, id)| !is_name(id) || ids[..*n].contains(id)) {
        Some((_, id)) => Err(format!("the {list} key id {id:?} is malformed or stands twice")),
        None if ids.is_empty() => Err(format!("there is no {list} key")),
        None => Ok(()),
    }
}

impl SymmetricKey {
    /// A fresh key whose name begins with `prefix`.
    pub(super) fn generate(prefix: &str, turn: Option<Turn>) -> Result<Self, Unfit> {
        let bytes: [u8; KEY_BYTES] = Random.bytes().map_err(|fault| Unfit(fault.to_string()))?;
        Ok(Self { id: new_id(prefix)?, key: BASE64.encode(&bytes), turn })
    }

    /// The key's bytes.
    ///
    /// # Errors
    /// When it is not base64, not 256 bits, or plainly not random.
    pub fn secret(&self) -> Result<Secret<[u8; KEY_BYTES]>, String> {
        let bytes = BASE64.decode(self.key.as_bytes()).map_err(|_| "is not base64".to_owned())?;
        let length = bytes.len();
        let bytes: [u8; KEY_BYTES] =
            bytes.try_into().map_err(|_| format!("has {length} bytes instead of {KEY_BYTES}"))?;
        let mut distinct = bytes.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        // 32 random bytes have fewer than 16 distinct values about once in 10^13.
        if distinct.len() < KEY_BYTES / 2 {
            return Err("is a sample, not a random key".to_owned());
        }
        Ok(Secret::new(bytes))
    }
}

impl SigningKey {
    /// A fresh key pair.
    pub(super) fn generate(algorithm: SigningAlgorithm, turn: Option<Turn>) -> Result<Self, Unfit> {
        let failed = |_| Unfit("the key generator failed".to_owned());
        let pkcs8 = match algorithm {
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                BASE64.encode(pair.to_pkcs8v1().map_err(failed)?.as_ref())
            }
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
                BASE64.encode(pair.to_pkcs8v1().map_err(failed)?.as_ref())
            }
        };
        Ok(Self { id: new_id("t")?, algorithm, pkcs8, turn })
    }

    /// The private key in PKCS #8 (RFC 5208), DER.
    ///
    /// # Errors
    /// When it is not base64.
    pub fn der(&self) -> Result<Secret<Vec<u8>>, String> {
        BASE64
            .decode(self.pkcs8.as_bytes())
            .map(Secret::new)
            .map_err(|_| format!("the signing key {:?} is not base64", self.id))
    }
}

fn new_id(prefix: &str) -> Result<String, Unfit> {
    let bytes: [u8; 6] = Random.bytes().map_err(|fault| Unfit(fault.to_string()))?;
    Ok(format!("{prefix}-{}", data_encoding::HEXLOWER.encode(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(edit: impl FnOnce(String) -> String, mode: u32) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap().write(&path).unwrap();
        let text = edit(fs::read_to_string(&path).unwrap());
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        KeyFile::read(&path).err().map(|unfit| unfit.to_string()).unwrap_or_default()
    }

    #[test]
    fn fresh_keys_are_fit_and_others_are_refused_with_what_to_do() {
        assert_eq!(refusal(|text| text, 0o600), "");
        assert!(refusal(|text| text, 0o640).contains("chmod 600"));
        assert!(refusal(|text| text.replace("version = 1", "version = 1\ndemo = true"), 0o600).contains("sample keys"));
        assert!(refusal(|_| "nonsense".to_owned(), 0o600).contains("keys generate"));
        let zeros = BASE64.encode(&[0; KEY_BYTES]);
        let short = BASE64.encode(&[7; 16]);
        let with_key = |key: &str, text: String| {
            let start = text.find("key = \"").unwrap();
            format!("{}key = \"{key}\"{}", &text[..start], &text[start + 7 + 44 + 1..])
        };
        assert!(refusal(|text| with_key(&zeros, text), 0o600).contains("sample"));
        assert!(refusal(|text| with_key(&short, text), 0o600).contains("16 bytes"));
        assert!(KeyFile::read(Path::new("/nonexistent/keys")).err().unwrap().to_string().contains("keys generate"));
    }

    #[test]
    fn only_a_file_that_root_hands_to_us_may_be_read_by_a_group() {
        for (owner, us, mode, is_fit) in [
            (1000, 1000, 0o600, true),
            (1000, 1000, 0o400, true),
            (1000, 1000, 0o640, false),
            (0, 1000, 0o440, true),
            (0, 1000, 0o640, true),
            (0, 1000, 0o460, false),
            (0, 1000, 0o444, false),
            (0, 0, 0o600, true),
            (0, 0, 0o440, false),
            (1001, 1000, 0o440, false),
        ] {
            assert_eq!(mode & !allowed_mode(owner, us) == 0, is_fit, "{mode:04o} of {owner}, read by {us}");
        }
    }

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let keys = KeyFile::generate(SigningAlgorithm::Es256, false).unwrap();
        keys.write(&path).unwrap();
        assert!(keys.write(&path).is_err());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
