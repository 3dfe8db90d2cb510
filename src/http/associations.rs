//! Which pages and apps may use the passkeys of this installation, as browsers, Android and Apple's systems ask for it.
//! What an installation has not is 404, as they expect of a site that has nothing to say.

use super::{
    caller::{Answer, AnyCall, json},
    openapi::Associated,
    problem::Problem,
    well_known::CACHE,
};
use crate::domain::{
    passkey::{AndroidApp, Site},
    refusal::Refusal,
};
use actix_web::{
    get,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// What lets an app use the passkeys of a domain. Android takes the second only beside the first.
const RELATIONS: [&str; 2] =
    ["delegate_permission/common.handle_all_urls", "delegate_permission/common.get_login_creds"];

/// The pages that may use the passkeys of this domain (WebAuthn §5.11.1).
#[derive(Serialize, ToSchema)]
#[schema(as = RelatedOrigins)]
pub struct RelatedOriginsBody {
    /// Their origins.
    #[schema(min_items = 1, example = json!(["https://portal.example.com"]))]
    origins: Vec<String>,
}

/// What an Android app may do for this domain (Digital Asset Links).
#[derive(Serialize, ToSchema)]
#[schema(as = AssetLink)]
pub struct AssetLinkBody {
    /// What it may do.
    #[schema(min_items = 1)]
    relation: Vec<&'static str>,
    /// The app.
    target: AndroidTargetBody,
}

/// An Android app.
#[derive(Serialize, ToSchema)]
#[schema(as = AndroidTarget)]
pub struct AndroidTargetBody {
    /// Always `android_app`.
    #[schema(pattern = "^android_app$", example = "android_app")]
    namespace: &'static str,
    /// The name of its package.
    #[schema(example = "com.example.portal")]
    package_name: String,
    /// The SHA-256 of the certificates that it may be signed with.
    #[schema(min_items = 1)]
    sha256_cert_fingerprints: Vec<String>,
}

/// What Apple apps may do for this domain (Associated Domains).
#[derive(Serialize, ToSchema)]
#[schema(as = AppleAssociation)]
pub struct AppleAssociationBody {
    /// The passkeys of this domain.
    webcredentials: AppleAppsBody,
}

/// Apple apps.
#[derive(Serialize, ToSchema)]
#[schema(as = AppleApps)]
pub struct AppleAppsBody {
    /// Their ids, each `TEAM.bundle`.
    #[schema(min_items = 1, example = json!(["ABCDE12345.com.example.portal"]))]
    apps: Vec<String>,
}

/// Publishes which pages may use the passkeys of this installation.
///
/// Browsers ask the domain of the passkeys, by HTTPS, for the pages of other domains. 404 where no passkeys are set up.
#[utoipa::path(operation_id = "getRelatedOrigins", tag = "well-known",
    responses((status = 200, description = "The origins", body = RelatedOriginsBody), Associated))]
#[get("/.well-known/webauthn")]
pub async fn related_origins(call: AnyCall) -> Answer {
    published(&call, |site| (!site.pages.is_empty()).then(|| RelatedOriginsBody { origins: site.pages.clone() }))
}

/// Publishes which Android apps may use the passkeys of this installation.
///
/// Android asks the domain of the passkeys, by HTTPS. 404 where no app is named in the settings.
#[utoipa::path(operation_id = "getAssetLinks", tag = "well-known",
    responses((status = 200, description = "The apps", body = Vec<AssetLinkBody>), Associated))]
#[get("/.well-known/assetlinks.json")]
pub async fn asset_links(call: AnyCall) -> Answer {
    published(&call, |site| {
        let mut links: Vec<AssetLinkBody> = Vec::new();
        for app in &site.android {
            let known = links.iter_mut().find(|link| link.target.package_name == app.package);
            match known {
                Some(link) => link.target.sha256_cert_fingerprints.push(app.written_fingerprint()),
                None => links.push(AssetLinkBody::from(app)),
            }
        }
        (!links.is_empty()).then_some(links)
    })
}

/// Publishes which Apple apps may use the passkeys of this installation.
///
/// Apple's systems ask the domain of the passkeys, by HTTPS. 404 where no app is named in the settings.
#[utoipa::path(operation_id = "getAppleAppSiteAssociation", tag = "well-known",
    responses((status = 200, description = "The apps", body = AppleAssociationBody), Associated))]
#[get("/.well-known/apple-app-site-association")]
pub async fn apple_app_site_association(call: AnyCall) -> Answer {
    published(&call, |site| {
        let apps = site.apple.clone();
        (!apps.is_empty()).then_some(AppleAssociationBody { webcredentials: AppleAppsBody { apps } })
    })
}

impl From<&AndroidApp> for AssetLinkBody {
    fn from(app: &AndroidApp) -> Self {
        let target = AndroidTargetBody {
            namespace: "android_app",
            package_name: app.package.clone(),
            sha256_cert_fingerprints: vec![app.written_fingerprint()],
        };
        Self { relation: RELATIONS.to_vec(), target }
    }
}

fn published<T: Serialize>(call: &AnyCall, of: impl FnOnce(&Site) -> Option<T>) -> Answer {
    let body = call.cx.passkeys.as_ref().and_then(|party| of(&party.site));
    let Some(body) = body else { return Err(Problem::Refused(Refusal::NotFound)) };
    let mut response = json(StatusCode::OK, &body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    Ok(response)
}
