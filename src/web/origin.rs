//! Whether a page of another site has a browser ask.

use hyper::header::{HOST, HeaderValue, ORIGIN};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Uri};

/// Whether these headers say so. Clients that are no browsers send none of them.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let fetched = headers.get_all("sec-fetch-site").iter();
    let mut fetched = fetched.map(HeaderValue::as_bytes);
    let mut origins = headers.get_all(ORIGIN).iter();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    fetched.any(|site| matches!(site, b"cross-site" | b"same-site"))
        || origins.any(|origin| {
            let same = origin.to_str().ok().zip(host).and_then(is_same);
            same != Some(true)
        })
}

/// Whether an origin is the site of a host; `None` if it is no URL, as `null`.
fn is_same((origin, host): (&str, &str)) -> Option<bool> {
    let origin: Uri = origin.parse().ok()?;
    let host: Authority = host.parse().ok()?;
    let usual = match origin.scheme_str()? {
        "https" => 443,
        _ => 80,
    };
    let port = |port: Option<u16>| port.unwrap_or(usual);
    let same_host = origin.host()?.eq_ignore_ascii_case(host.host());
    Some(same_host && port(origin.port_u16()) == port(host.port_u16()))
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    fn is_foreign(headers: &[(&str, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        super::is_foreign(&headers.collect())
    }

    #[test]
    fn who_is_no_browser_is_of_no_site() {
        assert!(!is_foreign(&[]));
        assert!(!is_foreign(&[("host", "a.example:9999")]));
    }

    #[test]
    fn a_browser_says_from_which_site_it_asks() {
        for (site, foreign) in [
            ("cross-site", true),
            ("same-site", true),
            ("same-origin", false),
            ("none", false),
        ] {
            let headers = [("host", "a.example"), ("sec-fetch-site", site)];
            assert_eq!(is_foreign(&headers), foreign, "{site}");
        }
    }

    #[test]
    fn an_origin_is_held_against_the_host() {
        for (origin, host, foreign) in [
            ("http://a.example:9999", "a.example:9999", false),
            ("http://A.example:9999", "a.EXAMPLE:9999", false),
            ("http://a.example", "a.example", false),
            ("http://a.example", "a.example:80", false),
            ("https://a.example", "a.example:443", false),
            ("http://[::1]:9999", "[::1]:9999", false),
            ("http://b.example:9999", "a.example:9999", true),
            ("http://a.example:8888", "a.example:9999", true),
            ("http://a.example", "a.example:9999", true),
            ("https://a.example", "a.example:80", true),
            ("http://a.example.evil.example", "a.example", true),
            ("a.example", "a.example", true),
            ("null", "a.example", true),
            ("", "a.example", true),
        ] {
            let headers = [("origin", origin), ("host", host)];
            assert_eq!(is_foreign(&headers), foreign, "{origin} {host}");
        }
        assert!(is_foreign(&[("origin", "http://a.example")]));
    }
}
