//! The pages for people: Account Security, and Swagger UI where it is asked for. Files of `web/`, embedded, and
//! sent as they are. They are no operations, so the document does not list them.

use super::{
    envelope::not_routed,
    problem::{Code, Problem},
};
use crate::crypto::digest::content_hash;
use actix_web::{
    HttpRequest, HttpResponse, Route,
    http::header::{self, AcceptEncoding, ContentEncoding, Encoding, EntityTag, Header, IfNoneMatch},
    web::{self, Path, ServiceConfig},
};
use flate2::{
    Compression,
    write::{GzDecoder, GzEncoder},
};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, Write},
    sync::Arc,
};

/// No other host, nothing inline, no frame around it. `data:` is for the QR code and Swagger UI's icons.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Kept by browsers, and asked for again by its tag each time.
const CACHE: &str = "no-cache";
const HOME: &str = "index.html";
/// Swagger UI: our page of it, the folder of its files, and what it needs of the library's.
const DOCS: &str = "docs/index.html";
const DOCS_FOLDER: &str = "docs/";
const SWAGGER_UI: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

#[derive(rust_embed::Embed)]
#[folder = "web/"]
struct Files;

/// The files, ready to be sent.
pub struct Pages {
    files: BTreeMap<String, File>,
    signs_in: bool,
}

struct File {
    kind: &'static str,
    plain: Version,
    gzipped: Version,
}

/// A file in one encoding; each has a tag of its own (RFC 9110 §8.8.3.3).
struct Version {
    tag: EntityTag,
    bytes: web::Bytes,
}

impl Pages {
    /// Reads and compresses the files of the page, and of Swagger UI where it is wanted. Where nobody signs in here, the
    /// page is there for the links of our mails alone.
    ///
    /// # Errors
    /// When one cannot be compressed.
    pub fn load(signs_in: bool, with_docs: bool) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        let is_wanted = |name: &str| with_docs || !name.starts_with(DOCS_FOLDER);
        for name in Files::iter().filter(|name| is_wanted(name)) {
            let Some((file, kind)) = Files::get(&name).zip(kind_of(&name)) else { continue };
            let gzipped = compressed(&file.data)?;
            files.insert(name.into_owned(), File::of(kind, held(file.data), gzipped.into()));
        }
        for name in SWAGGER_UI.iter().filter(|_| with_docs) {
            files.insert(format!("{DOCS_FOLDER}{name}"), swagger_ui(name)?);
        }
        Ok(Self { files, signs_in })
    }
}

impl File {
    fn of(kind: &'static str, plain: web::Bytes, gzipped: web::Bytes) -> Self {
        let tag = content_hash(&plain);
        let gzipped = Version { tag: EntityTag::new_strong(format!("{tag}-gz")), bytes: gzipped };
        Self { kind, plain: Version { tag: EntityTag::new_strong(tag), bytes: plain }, gzipped }
    }
}

/// A file of the library, which has it compressed.
fn swagger_ui(name: &str) -> io::Result<File> {
    let missing = || io::Error::other(format!("Swagger UI has no {name}"));
    let found = utoipa_swagger_ui::serve(name, Arc::default()).map_err(|error| io::Error::other(error.to_string()))?;
    let (file, kind) = found.zip(kind_of(name)).ok_or_else(missing)?;
    let mut decoder = GzDecoder::new(Vec::new());
    decoder.write_all(&file.bytes)?;
    Ok(File::of(kind, decoder.finish()?.into(), held(file.bytes)))
}

fn compressed(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn held(bytes: Cow<'static, [u8]>) -> web::Bytes {
    match bytes {
        Cow::Borrowed(bytes) => web::Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

/// Registers the pages and their files.
pub fn register(config: &mut ServiceConfig) {
    let page = |path: &str, read: Route| web::resource(path).route(read).default_service(web::to(only_read));
    config
        .service(page("/", web::get().to(home)))
        .service(page("/undo", web::get().to(by_link)))
        .service(page("/reminders", web::get().to(by_link)))
        .service(page("/docs", web::get().to(docs)))
        .service(page("/web/{file:.+}", web::get().to(file)));
}

/// Whether a path is one of the pages': what the browser accepts there is its own affair.
pub fn has(path: &str) -> bool {
    matches!(path, "/" | "/undo" | "/reminders" | "/docs") || path.starts_with("/web/")
}

async fn home(request: HttpRequest, pages: web::Data<Pages>) -> Result<HttpResponse, Problem> {
    if pages.signs_in { send(&request, &pages, HOME) } else { Err(Code::NotFound.into()) }
}

/// Where the links of our mails lead; the page finds its view by the path, and the token behind the `#` stays there.
async fn by_link(request: HttpRequest, pages: web::Data<Pages>) -> Result<HttpResponse, Problem> {
    send(&request, &pages, HOME)
}

async fn docs(request: HttpRequest, pages: web::Data<Pages>) -> Result<HttpResponse, Problem> {
    send(&request, &pages, DOCS)
}

async fn file(request: HttpRequest, pages: web::Data<Pages>, name: Path<String>) -> Result<HttpResponse, Problem> {
    send(&request, &pages, &name)
}

async fn only_read() -> HttpResponse {
    not_routed(Some("GET".to_owned()))
}

fn send(request: &HttpRequest, pages: &Pages, name: &str) -> Result<HttpResponse, Problem> {
    let file = pages.files.get(name).ok_or(Code::NotFound)?;
    let is_gzipped = takes_gzip(request);
    let version = if is_gzipped { &file.gzipped } else { &file.plain };
    let is_known = IfNoneMatch::parse(request).is_ok_and(|known| match known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|tag| tag.weak_eq(&version.tag)),
    });
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::CACHE_CONTROL, CACHE))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header(header::ETag(version.tag.clone()));
    if matches!(name, HOME | DOCS) {
        // A policy is a page's; of a script or a style it would only be weight.
        response.insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY));
    }
    if is_known {
        return Ok(response.finish());
    }
    if is_gzipped {
        response.insert_header(ContentEncoding::Gzip);
    }
    Ok(response.content_type(file.kind).body(version.bytes.clone()))
}

/// Whether the browser says so; one that leaves it open gets the plain file.
fn takes_gzip(request: &HttpRequest) -> bool {
    let offered = [Encoding::gzip(), Encoding::identity()];
    let is_named = request.headers().contains_key(header::ACCEPT_ENCODING);
    is_named
        && AcceptEncoding::parse(request)
            .is_ok_and(|accepted| accepted.negotiate(offered.iter()) == Some(Encoding::gzip()))
}

/// The media type; what has none is not served.
fn kind_of(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}
