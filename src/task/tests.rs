use super::*;

impl Task {
    /// A running task with little in it, to be changed with struct update.
    pub(crate) fn running(id: &str, operation: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: String::new(),
            operation: operation.to_owned(),
            status: Status::Running,
            word: "inprogress".to_owned(),
            started: None,
            ended: None,
            moved: None,
            invalid_timestamps: false,
            resolved: false,
            retryable: None,
            resources: Vec::new(),
            errors: Vec::new(),
            subtasks: Vec::new(),
            progress: None,
        }
    }
}

fn task() -> Task {
    Task {
        name: "A".to_owned(),
        ..Task::running("a", "HOST_COMMISSION")
    }
}

fn error(code: Option<&str>, causes: Vec<TaskError>) -> TaskError {
    TaskError {
        code: code.map(str::to_owned),
        causes,
        ..TaskError::default()
    }
}

fn subtask(status: Status, errors: Vec<TaskError>) -> Node {
    Node {
        name: "s".to_owned(),
        kind: NodeKind::SubTask,
        status,
        moved: None,
        errors,
        children: Vec::new(),
    }
}

fn resource(id: &str, name: &str) -> Resource {
    Resource {
        id: id.to_owned(),
        kind: "HOST".to_owned(),
        name: name.to_owned(),
    }
}

#[test]
fn the_error_code_is_the_tasks_first_else_of_where_it_failed() {
    let nested = error(None, vec![error(Some("DEEP"), vec![])]);
    let own = Task {
        errors: vec![nested, error(Some("LATER"), vec![])],
        ..task()
    };
    assert_eq!(own.error_code().as_deref(), Some("DEEP"));
    let below = Task {
        subtasks: vec![subtask(Status::Failed, vec![error(Some("SUB"), vec![])])],
        ..task()
    };
    assert_eq!(below.error_code().as_deref(), Some("SUB"));
    assert_eq!(task().error_code(), None);
}

#[test]
fn progress_is_the_finished_sub_tasks_of_all_or_the_sources_own() {
    assert_eq!(task().progress_ratio(), None);
    let half = Task {
        subtasks: vec![
            subtask(Status::Succeeded, vec![]),
            subtask(Status::Running, vec![]),
        ],
        ..task()
    };
    assert_eq!(half.progress_ratio(), Some(0.5));
    let own = Task {
        progress: Some(0.25),
        ..half
    };
    assert_eq!(own.progress_ratio(), Some(0.25));
}

#[test]
fn the_scope_knows_neither_order_nor_repetition_of_resources() {
    let with = |resources: Vec<Resource>| Task {
        resources,
        ..task()
    };
    let one = with(vec![resource("1", ""), resource("2", "")]);
    let same = with(vec![
        resource("2", "x"),
        resource("1", ""),
        resource("1", ""),
    ]);
    assert_eq!(one.scope(), same.scope());
    assert_ne!(one.scope(), with(vec![resource("1", "")]).scope());
    assert_eq!(task().scope(), None);
    let unknown = Task {
        operation: UNKNOWN_OPERATION.to_owned(),
        ..one
    };
    assert_eq!(unknown.scope(), None);
}

#[test]
fn resources_are_named_by_name_else_by_id() {
    let task = Task {
        resources: vec![resource("1", "esx01.rainpole.io"), resource("2", "")],
        ..task()
    };
    assert_eq!(task.resource_names(), "esx01.rainpole.io,2");
}

#[test]
fn only_plain_ids_are_fit_for_urls() {
    for id in ["a758bf1b-5114-4385", "5ab:com.vmware.esx", "a.b_c"] {
        assert!(is_plain_id(id), "{id}");
    }
    for id in ["", ".", "..", "../credentials/tasks", "a b", "a?b", "é"] {
        assert!(!is_plain_id(id), "{id}");
    }
}

#[test]
fn a_task_met_twice_counts_as_met_last() {
    let mut listing = Listing::new();
    assert!(listing.meet("tasks", Call::List, task()));
    let later = Task {
        status: Status::Unknown,
        ..task()
    };
    assert!(!listing.meet("tasks", Call::List, later));
    assert_eq!(listing.len(), 1);
    assert_eq!(listing.unreadable().status, 1);
    assert!(!listing.is_whole("tasks"));
    listing.read("tasks", true);
    assert!(listing.is_whole("tasks") && listing.is_complete());
}

#[test]
fn a_task_that_is_met_again_counts_as_then_and_not_as_in_between() {
    let listing = |status| {
        let mut listing = Listing::new();
        listing.meet("tasks", Call::List, Task { status, ..task() });
        listing
    };
    let status = |mut full: Listing, again: bool| {
        full.overtaken_by(&listing(Status::Blocked));
        if again {
            full.meet("tasks", Call::List, task());
        }
        full.settle();
        full.into_met().next().unwrap().1.summary.status
    };
    assert_eq!(status(listing(Status::Pending), false), Status::Blocked);
    assert_eq!(status(listing(Status::Pending), true), Status::Running);
    assert_eq!(status(Listing::new(), false), Status::Blocked);
}
