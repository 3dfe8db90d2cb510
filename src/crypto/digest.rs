//! What names bytes by their content. No key is in it.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

/// The first half of the SHA-256 of some bytes, in hexadecimal: 128 bits, enough to tell versions apart.
pub fn content_hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(&digest(&SHA256, bytes).as_ref()[..16])
}
