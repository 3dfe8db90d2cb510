//! Every route, one line each. A line registers the handler and its documentation together, so an
//! undocumented route cannot exist.

use super::{
    account, associations, auth, code_enrollment, consents, deliveries, devices, disable, enrollment,
    envelope::not_routed,
    links, oauth,
    openapi::{self, Preamble},
    partner, partner_events, passkeys, problems, start, support, two_factor, webhooks, well_known,
};
use actix_web::{App, HttpRequest, HttpResponse, dev::HttpServiceFactory, web};
use std::collections::BTreeMap;
use utoipa::OpenApi;
use utoipa_actix_web::{AppExt, OpenApiFactory, service_config::ServiceConfig};

/// Whatever takes routes: an application, or the collector of the document.
pub trait Registry {
    /// Takes one route with its documentation.
    fn service(&mut self, route: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self;
}

impl Registry for web::ServiceConfig {
    fn service(&mut self, route: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self {
        web::ServiceConfig::service(self, route)
    }
}

impl Registry for ServiceConfig<'_> {
    fn service(&mut self, route: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self {
        ServiceConfig::service(self, route)
    }
}

/// Registers the routes.
pub fn register(registry: &mut impl Registry) {
    register_passkeys(registry);
    register_codes(registry);
    register_partners(registry);
    registry
        .service(account::get_overview)
        .service(two_factor::get_status)
        .service(enrollment::start_totp)
        .service(enrollment::get_totp)
        .service(enrollment::confirm_totp)
        .service(enrollment::cancel_totp)
        .service(two_factor::rename_method)
        .service(two_factor::remove_method)
        .service(disable::preview_disable)
        .service(disable::disable_two_factor)
        .service(links::preview_undo)
        .service(links::undo_disable)
        .service(links::stop_reminders)
        .service(links::unsubscribe)
        .service(two_factor::verify_second_factor)
        .service(start::start_verification)
        .service(two_factor::regenerate_recovery_codes)
        .service(account::list_events)
        .service(account::list_sessions)
        .service(account::end_other_sessions)
        .service(account::end_session)
        .service(devices::list_devices)
        .service(devices::forget_all_devices)
        .service(devices::forget_device)
        .service(account::change_password)
        .service(consents::list_partners)
        .service(consents::allow_partner)
        .service(consents::refuse_partner)
        .service(auth::login)
        .service(auth::login_second_factor)
        .service(start::start_second_factor)
        .service(auth::refresh_tokens)
        .service(auth::sign_out)
        .service(support::find_account)
        .service(support::get_account_status)
        .service(support::list_account_events)
        .service(support::reset_two_factor)
        .service(support::issue_bypass_code)
        .service(support::unlock_account)
        .service(well_known::jwks)
        .service(well_known::policy)
        .service(well_known::document)
        .service(problems::list)
        .service(problems::explain);
}

/// Those that are about passkeys.
fn register_passkeys(registry: &mut impl Registry) {
    registry
        .service(passkeys::start_passkey)
        .service(passkeys::get_passkey)
        .service(passkeys::confirm_passkey)
        .service(passkeys::cancel_passkey)
        .service(associations::related_origins)
        .service(associations::asset_links)
        .service(associations::apple_app_site_association);
}

/// Those that are about methods whose codes are sent.
fn register_codes(registry: &mut impl Registry) {
    registry
        .service(code_enrollment::start_email)
        .service(code_enrollment::get_email)
        .service(code_enrollment::confirm_email)
        .service(code_enrollment::resend_email)
        .service(code_enrollment::cancel_email)
        .service(code_enrollment::start_sms)
        .service(code_enrollment::get_sms)
        .service(code_enrollment::confirm_sms)
        .service(code_enrollment::resend_sms)
        .service(code_enrollment::cancel_sms);
}

/// Those of partners' programs.
fn register_partners(registry: &mut impl Registry) {
    registry
        .service(oauth::issue_client_token)
        .service(partner::get_partner_account_status)
        .service(partner::verify_for_partner)
        .service(partner::provision_account)
        .service(partner_events::list_partner_events)
        .service(webhooks::add_webhook)
        .service(webhooks::list_webhooks)
        .service(webhooks::get_webhook)
        .service(webhooks::edit_webhook)
        .service(webhooks::delete_webhook)
        .service(webhooks::rotate_webhook_secret)
        .service(deliveries::list_webhook_deliveries)
        .service(deliveries::replay_webhook_delivery);
}

/// The document of the routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let app = App::new().into_utoipa_app().openapi(Preamble::openapi()).configure(|config| register(config));
    openapi::complete(app.split_for_parts().1)
}

/// The methods of every path, for the answer to all others.
pub struct Allowed(BTreeMap<String, Vec<&'static str>>);

impl Allowed {
    /// Read from the document, which knows every route.
    pub fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let methods = |item: &utoipa::openapi::PathItem| {
            let all = [
                ("DELETE", &item.delete),
                ("GET", &item.get),
                ("PATCH", &item.patch),
                ("POST", &item.post),
                ("PUT", &item.put),
            ];
            all.into_iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| name).collect()
        };
        Self(document.paths.paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect())
    }

    fn at(&self, path: &str) -> Option<String> {
        // A path without a parameter goes before the templates that it fits too.
        if let Some(methods) = self.0.get(path) {
            return Some(methods.join(", "));
        }
        let templates = self.0.iter().filter(|(template, _)| matches(template, path));
        let methods: Vec<&str> = templates.flat_map(|(_, methods)| methods.iter().copied()).collect();
        (!methods.is_empty()).then(|| methods.join(", "))
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part == given || (part.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

/// What no route takes: 405 with the methods that the path has, or 404.
pub async fn elsewhere(request: HttpRequest, allowed: web::Data<Allowed>) -> HttpResponse {
    not_routed(allowed.at(request.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_knows_its_methods() {
        let allowed = Allowed::of(&document());
        assert_eq!(allowed.at("/account/security/2fa/disable").as_deref(), Some("POST"));
        assert_eq!(allowed.at("/account/security/2fa/totp/7").as_deref(), Some("DELETE, GET"));
        assert_eq!(allowed.at("/account/security/2fa/"), None);
        assert_eq!(allowed.at("/account/security/sessions/end-others").as_deref(), Some("POST"));
        assert_eq!(allowed.at("/nowhere"), None);
    }
}
