use proptest::prelude::*;

use crate::support::{HeldClock, Stub, Watch, json};

/// JSON of any shape, with the keys that mean something among others.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let key = prop_oneof![
        proptest::sample::select(vec![
            "id",
            "name",
            "type",
            "status",
            "creationTimestamp",
            "completionTimestamp",
            "subTasks",
            "stages",
            "errors",
            "errorCode",
            "nestedErrors",
            "causes",
            "resources",
            "resourceId",
            "elements",
            "pageMetadata",
            "pageNumber",
            "totalElements",
            "totalPages",
        ])
        .prop_map(str::to_owned),
        ".*",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".*".prop_map(Into::into),
        proptest::sample::select(vec![
            "FAILED",
            "IN_PROGRESS",
            "2026-11-20T15:00:00Z",
            "9223372036854775807"
        ])
        .prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Polls a source that answers `page` twice; whatever comes of it can be read.
fn survives(page: &str) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let body = json(page);
        let stub = Stub::new(move |_| body.clone()).await;
        let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
        let polled = watch.try_poll().await.is_ok();
        let first = watch.page();
        prop_assert_eq!(watch.try_poll().await.is_ok(), polled);
        prop_assert_eq!(first.tasks().len(), watch.page().tasks().len());
        first.metric("virt_exporter_poller_panics_total").is(0);
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_page_is_read_or_refused(page in value()) {
        survives(&page.to_string())?;
    }

    #[test]
    fn any_elements_are_tasks_or_skipped(elements in prop::collection::vec(value(), 0..6), id in ".*") {
        let mut elements = elements;
        for element in &mut elements {
            if let Some(fields) = element.as_object_mut() {
                fields.entry("id").or_insert_with(|| id.clone().into());
            }
        }
        survives(&serde_json::json!({ "elements": elements }).to_string())?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".*", cut in 0..400_usize) {
        survives(&text)?;
        let page = include_str!("../fixtures/sddc_manager/list_5.json");
        let cut: String = page.chars().take(cut).chain(text.chars()).collect();
        survives(&cut)?;
    }
}
