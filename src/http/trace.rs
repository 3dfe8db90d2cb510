//! The trace that a request belongs to (W3C Trace Context, Level 1): read, and written into the log, so that the lines
//! of all who served one click are found together.

use actix_web::{HttpMessage, http::header::HeaderMap};

const HEADER: &str = "traceparent";
const SAMPLED: u8 = 1;

/// The trace and the caller's span, in hexadecimal as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Sixteen bytes, the same for all who serve one click.
    pub trace_id: String,
    /// Eight bytes, the caller's.
    pub parent_id: String,
    /// Whether the caller keeps its own part of it (§3.2.2.5).
    pub is_sampled: bool,
}

/// The trace of a request; what is malformed counts as absent (§3.2.2.3).
pub fn of(request: &impl HttpMessage) -> Option<Trace> {
    let line = the_one(request.headers())?;
    let mut parts = line.split('-');
    let (version, trace_id, parent_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // A version that is not known may have more to say, and ends these four alike (§4.3).
    let ends_here = parts.next().is_none() || version != "00";
    let is_id = |text: &str, length| is_hexadecimal(text, length) && text.bytes().any(|byte| byte != b'0');
    let is_well = is_hexadecimal(version, 2)
        && version != "ff"
        && is_id(trace_id, 32)
        && is_id(parent_id, 16)
        && is_hexadecimal(flags, 2)
        && ends_here;
    let is_sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & SAMPLED != 0);
    is_well.then(|| Trace { trace_id: trace_id.to_owned(), parent_id: parent_id.to_owned(), is_sampled })
}

fn the_one(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(HEADER);
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    line.to_str().ok()
}

fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(line: &str) -> Option<Trace> {
        of(&TestRequest::default().insert_header((HEADER, line)).to_http_request())
    }

    #[test]
    fn a_trace_is_read_as_the_standard_writes_it() {
        let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let expected =
            |is_sampled| Some(Trace { trace_id: trace.to_owned(), parent_id: parent.to_owned(), is_sampled });
        assert_eq!(read(&format!("00-{trace}-{parent}-01")), expected(true));
        assert_eq!(read(&format!("00-{trace}-{parent}-02")), expected(false));
        assert_eq!(read(&format!("cc-{trace}-{parent}-03-what-comes-later")), expected(true));
        let zeros = "0".repeat(32);
        for line in [
            String::new(),
            format!("ff-{trace}-{parent}-01"),
            format!("00-{trace}-{parent}-01-more"),
            format!("00-{zeros}-{parent}-01"),
            format!("00-{trace}-0000000000000000-01"),
            format!("00-{}-{parent}-01", trace.to_uppercase()),
            format!("00-{trace}-{parent}-1"),
            format!("00-{trace}-{parent}"),
            format!("00-{trace}\n-{parent}-01").replace('\n', "%0a"),
        ] {
            assert_eq!(read(&line), None, "{line}");
        }
    }
}
