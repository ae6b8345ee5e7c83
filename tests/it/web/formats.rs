use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, VARY,
};
use reqwest::{Client, Method};
use rstest::rstest;

use super::program;
use crate::support::{PATIENCE, Page, Program};

/// An answer, byte for byte.
struct Answer {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// Asks for the metrics with some headers, and takes what comes as it is.
async fn ask(program: &Program, method: Method, headers: &[(&str, &str)]) -> Answer {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder().no_proxy().no_gzip().timeout(PATIENCE);
    let client = client.build().unwrap();
    let url = format!("http://{}/metrics", program.address());
    let mut request = client.request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    Answer {
        headers: answer.headers().clone(),
        body: answer.bytes().await.unwrap().to_vec(),
    }
}

async fn accepting(program: &Program, accept: &str) -> Answer {
    ask(program, Method::GET, &[(ACCEPT.as_str(), accept)]).await
}

/// An exporter whose source was polled once and not again.
async fn tried() -> Program {
    let program = program(&["--web.disable-exporter-metrics"]).await;
    let tried = |page: &Page| {
        page.metric("virt_source_up").sum() < 0.5
            && page.metric("virt_source_polls_total").sum() > 0.5
    };
    program.scraped("a poll", tried).await;
    program
}

#[tokio::test]
async fn both_formats_say_what_they_are_and_carry_the_same() {
    let program = tried().await;
    let classic = accepting(&program, "*/*").await;
    assert_eq!(
        classic.headers[CONTENT_TYPE],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let classic = classic.text();
    assert!(
        !classic.contains("# EOF") && classic.contains("# TYPE virt_source_polls_total counter")
    );
    let open = accepting(&program, "application/openmetrics-text; version=1.0.0").await;
    assert_eq!(
        open.headers[CONTENT_TYPE],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let open = open.text();
    assert!(open.ends_with("# EOF\n") && open.contains("# TYPE virt_source_polls counter"));
    assert_eq!(series(&classic), series(&open));
}

/// The series of a page, in its order.
fn series(text: &str) -> Vec<String> {
    let samples = Page::read(text).family("", &[]).into_iter();
    samples
        .map(|sample| format!("{} {:?}", sample.name, sample.labels))
        .collect()
}

#[rstest]
#[case::prometheus_2(
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "application/openmetrics-text; version=1.0.0; charset=utf-8"
)]
#[case::prometheus_3(
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
)]
#[case::victoria_metrics(
    "text/plain;version=0.0.4;q=1,*/*;q=0.1",
    "text/plain; version=0.0.4; charset=utf-8"
)]
#[case::old_open_metrics(
    "application/openmetrics-text",
    "application/openmetrics-text; version=0.0.1; charset=utf-8"
)]
#[case::what_is_not_served("application/json;q=1", "text/plain; version=0.0.4; charset=utf-8")]
#[case::nonsense(";;q=;,\"/\"=é,*/,;q=0.1", "text/plain; version=0.0.4; charset=utf-8")]
#[tokio::test]
async fn each_client_gets_its_format(#[case] accept: &str, #[case] kind: &str) {
    let program = program(&[]).await;
    let answer = accepting(&program, accept).await;
    assert_eq!(answer.headers[CONTENT_TYPE], kind);
    assert_eq!(answer.headers[VARY], "Accept, Accept-Encoding");
    let open = kind.starts_with("application/openmetrics-text");
    assert_eq!(answer.text().ends_with("# EOF\n"), open);
}

#[tokio::test]
async fn an_accept_in_several_headers_is_one() {
    let program = program(&[]).await;
    let headers = [
        (ACCEPT.as_str(), "text/plain;q=0.1"),
        (
            ACCEPT.as_str(),
            "application/openmetrics-text;version=1.0.0;q=0.2",
        ),
    ];
    let answer = ask(&program, Method::GET, &headers).await;
    assert!(answer.text().ends_with("# EOF\n"));
}

#[tokio::test]
async fn gzip_holds_the_same_as_plain_text() {
    let program = tried().await;
    for accept in ["*/*", "application/openmetrics-text;version=1.0.0"] {
        let plain = accepting(&program, accept).await;
        assert!(!plain.headers.contains_key(CONTENT_ENCODING));
        let headers = [
            (ACCEPT.as_str(), accept),
            (ACCEPT_ENCODING.as_str(), "deflate, gzip;q=0.5"),
        ];
        let coded = ask(&program, Method::GET, &headers).await;
        assert_eq!(coded.headers[CONTENT_ENCODING], "gzip");
        assert_eq!(coded.headers[CONTENT_TYPE], plain.headers[CONTENT_TYPE]);
        assert_eq!(coded.headers[VARY], "Accept, Accept-Encoding");
        assert_eq!(
            coded.headers[CONTENT_LENGTH],
            coded.body.len().to_string().as_str()
        );
        assert!(coded.body.len() * 3 < plain.body.len());
        let mut text = String::new();
        let mut decoder = GzDecoder::new(coded.body.as_slice());
        decoder.read_to_string(&mut text).unwrap();
        assert_eq!(series(&text), series(&plain.text()));
    }
}

#[rstest]
#[case::refused("gzip;q=0")]
#[case::all_refused("*;q=0")]
#[case::unknown("br, zstd")]
#[case::nonsense("gzip;q=much,;=")]
#[tokio::test]
async fn plain_text_goes_to_those_who_take_no_gzip(#[case] accept: &str) {
    let program = program(&[]).await;
    let answer = ask(&program, Method::GET, &[(ACCEPT_ENCODING.as_str(), accept)]).await;
    assert!(!answer.headers.contains_key(CONTENT_ENCODING));
    assert!(answer.text().contains("virt_exporter_build_info"));
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let program = program(&[]).await;
    let headers = [
        (
            ACCEPT.as_str(),
            "application/openmetrics-text;version=1.0.0",
        ),
        (ACCEPT_ENCODING.as_str(), "gzip"),
    ];
    let answer = ask(&program, Method::HEAD, &headers).await;
    assert_eq!(answer.headers[CONTENT_ENCODING], "gzip");
    assert_eq!(answer.headers[VARY], "Accept, Accept-Encoding");
    assert_eq!(
        answer.headers[CONTENT_TYPE],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(answer.headers.contains_key(CONTENT_LENGTH));
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn the_order_of_series_never_changes() {
    let program = tried().await;
    let first = series(&accepting(&program, "*/*").await.text());
    for _ in 0..5 {
        assert_eq!(series(&accepting(&program, "*/*").await.text()), first);
    }
}
