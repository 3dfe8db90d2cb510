//! `/problems`: the catalogue, for programs and for people.

use super::{
    caller::Answer,
    envelope::{self, accepts_one_of},
    language,
    openapi::Explained,
    problem::{self, Code},
};
use crate::domain::account::Locale;
use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{StatusCode, header},
    web::Path,
};
use utoipa::ToSchema;

/// The kinds of problem.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of what is written from the table of problems")]
struct Catalogue {
    /// All of them.
    problems: Vec<Explanation>,
}

/// What one kind of problem means.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of what is written from the table of problems")]
struct Explanation {
    /// A relative reference to the page that explains it.
    r#type: String,
    /// Its name, for a program.
    #[schema(pattern = "^[a-z-]+$")]
    code: String,
    /// The HTTP status that it comes with.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What it is, for a person.
    title: String,
    /// What to do about it.
    detail: String,
    /// What is said to some callers in its place: to partners' programs, or where a form is read.
    other_details: Vec<String>,
    /// More help.
    help: String,
}

/// Lists the kinds of problem.
#[utoipa::path(operation_id = "listProblems", tag = "problems",
    responses((status = 200, description = "The catalogue",
        content((Catalogue = "application/json"), (String = "text/html"))), Explained))]
#[get("/problems")]
pub async fn list(request: HttpRequest) -> Answer {
    let locale = envelope::facts_of(&request).locale;
    if is_for_a_program(&request) {
        let body = serde_json::to_vec(&problem::catalogue(locale)).unwrap_or_default();
        return Ok(HttpResponse::Ok().content_type("application/json").body(body));
    }
    let items: String = Code::ALL
        .iter()
        .map(|code| {
            let (slug, status, title) = (code.slug(), code.status().as_u16(), language::text(locale, code.slug()));
            format!("<li><a href=\"/problems/{slug}\">{status} {slug}</a>: {}</li>", escaped(&title))
        })
        .collect();
    Ok(page(locale, "Twofold", &format!("<ul>{items}</ul>")))
}

/// Explains one kind of problem.
#[utoipa::path(operation_id = "getProblem", tag = "problems",
    params(("code" = String, Path, description = "The `code` of the problem")),
    responses((status = 200, description = "What it means and what to do",
        content((Explanation = "application/json"), (String = "text/html"))), Explained))]
#[get("/problems/{code}")]
pub async fn explain(request: HttpRequest, slug: Path<String>) -> Answer {
    let locale = envelope::facts_of(&request).locale;
    let code = *Code::ALL.iter().find(|code| code.slug() == *slug).ok_or(Code::NotFound)?;
    if is_for_a_program(&request) {
        let body = serde_json::to_vec(&problem::explanation(code, locale)).unwrap_or_default();
        return Ok(HttpResponse::Ok().content_type("application/json").body(body));
    }
    let text = |name: &str| escaped(&language::text(locale, name));
    let others = problem::other_details(code, locale);
    let others: String = others.iter().map(|text| format!("<p>{}</p>", escaped(text))).collect();
    let body = format!(
        "<p><code>{} {slug}</code></p><p>{}</p>{others}<p>{}</p><p><a href=\"/problems\">/problems</a></p>",
        code.status().as_u16(),
        text(&format!("{slug}.detail")),
        text(&format!("{slug}.help")),
    );
    Ok(page(locale, &language::text(locale, &slug), &body))
}

/// A browser asks for HTML first; whoever does not ask for it gets JSON.
fn is_for_a_program(request: &HttpRequest) -> bool {
    !request.headers().contains_key(header::ACCEPT) || !accepts_html(request)
}

fn accepts_html(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/html") && accepts_one_of(request, &["text/html"])
}

fn page(locale: Locale, title: &str, body: &str) -> HttpResponse {
    let (tag, title) = (locale.tag(), escaped(title));
    HttpResponse::build(StatusCode::OK)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_LANGUAGE, tag))
        .body(format!(
            "<!doctype html><html lang=\"{tag}\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><h1>{title}</h1>{body}</html>"
        ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
