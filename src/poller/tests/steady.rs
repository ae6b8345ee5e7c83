//! Steady polls of a simulated SDDC Manager, and full ones that give way to them.

use std::path::Path;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::config::{Config, SystemConfig};
use crate::simulator::{
    Endpoint, Fault, FaultKind, SddcManager as Simulator, SddcManagerOptions, SimTask,
    TaskError as SimError, TaskStatus,
};
use crate::sources::sddc_manager::SddcManager;

mod giving_way;

/// A simulated SDDC Manager and its poller.
struct Rig {
    sim: Simulator,
    poller: Poller<SddcManager>,
    page: watch::Receiver<Arc<SourcePage>>,
    _server: JoinSet<()>,
}

impl Rig {
    async fn new() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let clock = Clock::system();
        let sim = Simulator::new(clock.clone(), SddcManagerOptions::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        let manager = sim.clone();
        server.spawn(async move { manager.serve(listener, CancellationToken::new()).await });
        let text = format!(
            "sources: [{{name: a, system: sddc_manager, url: \"{url}\", \
             username: administrator@vsphere.local, password: VMware123!}}]"
        );
        let config = Config::parse(&text, Path::new("test.yml")).unwrap();
        let source = &config.sources[0];
        let SystemConfig::SddcManager(system) = &source.system else {
            panic!("another system");
        };
        let manager =
            SddcManager::new(source.url.clone(), &source.http, system, clock.clone()).unwrap();
        let schedule = Schedule {
            interval: Duration::from_millis(100),
            timeout: Duration::from_secs(20),
            full_interval: Duration::from_secs(3600),
            full_timeout: Duration::from_secs(60),
        };
        let limits = Limits {
            retention: Duration::from_secs(365 * 86_400),
            failure_open_for: Duration::from_secs(365 * 86_400),
            ..limits(Duration::ZERO)
        };
        let ledger = KeptLedger::in_memory(limits);
        let (poller, page) = Poller::new(manager, facts(), schedule, ledger, clock);
        Self {
            sim,
            poller,
            page,
            _server: server,
        }
    }

    /// A task that was created so many seconds ago.
    fn add(&self, id: &str, ago: i64) {
        let task = SimTask::new("UPGRADE", id).id(id).running();
        self.sim.add(task);
        let created = Clock::system().now() - SignedDuration::from_secs(ago);
        self.sim.change(id, |task, _| task.created = Some(created));
    }

    fn add_done(&self, id: &str, ago: i64) {
        self.add(id, ago);
        self.sim.succeed(id);
    }

    /// A task fails as many seconds ago, having been retried if it had failed before.
    fn fails_again(&self, id: &str, ago: i64) {
        self.sim.retry(id);
        self.sim.fail(id, SimError::new("CODE", "It failed."));
        self.sim.change(id, |task, now| {
            task.completed = Some(now - SignedDuration::from_secs(ago));
        });
    }

    /// The full and the steady polls.
    fn polls(&self) -> (u64, u64) {
        let health = &self.poller.health;
        (health.full_polls, health.steady_polls)
    }
}

#[tokio::test]
async fn tasks_that_are_stuck_on_every_page_do_not_end_steady_polls() {
    let mut rig = Rig::new().await;
    for n in 0..2_500 {
        rig.add_done(&format!("t{n}"), n * 60);
    }
    for n in 0..25 {
        rig.add(&format!("stuck{n}"), n * 6_000 + 30);
    }
    rig.poller.poll().await.unwrap();
    rig.sim.clear_requests();
    rig.poller.poll_steadily().await.unwrap();
    let requests: u64 = rig.sim.request_counts().values().sum();
    assert_eq!(rig.polls(), (1, 1), "{requests} requests");
}

#[tokio::test]
async fn a_task_that_may_not_be_read_by_id_brings_no_login_at_each_poll() {
    let mut rig = Rig::new().await;
    rig.add("old", 100_000);
    for n in 0..150 {
        rig.add_done(&format!("t{n}"), n * 60);
    }
    rig.poller.poll().await.unwrap();
    rig.sim
        .inject(Fault::new(Endpoint::Task, FaultKind::Status(403)));
    for _ in 0..5 {
        rig.poller.poll_steadily().await.unwrap();
    }
    let logins = rig.sim.request_count(Endpoint::Login);
    assert!(logins <= 2, "{logins} logins in six polls");
}

#[tokio::test]
async fn unknown_statuses_do_not_keep_a_running_task_waiting() {
    let mut rig = Rig::new().await;
    for n in 0..200 {
        let id = format!("odd{n}");
        let task = SimTask::new("UPGRADE", &id)
            .id(&id)
            .with_field("status", "INCONSISTENT".into());
        rig.sim.add(task);
        let created = Clock::system().now() - SignedDuration::from_secs(500_000);
        rig.sim.change(&id, |task, _| task.created = Some(created));
    }
    rig.add("old", 400_000);
    for n in 0..150 {
        rig.add_done(&format!("t{n}"), n * 60);
    }
    rig.poller.poll().await.unwrap();
    rig.sim.succeed("old");
    for _ in 0..2 {
        rig.poller.poll_steadily().await.unwrap();
    }
    let page = Arc::clone(&rig.page.borrow());
    assert_eq!(
        value(&page, Metric::Tasks, "running"),
        Some(Value::Whole(0)),
        "200 words that nobody knows came before it"
    );
}

/// How many failures count of a deep task that fails, is retried and fails
/// again unseen, where each failure is seen by a poll of either mode first: in the
/// list or by its id.
async fn failures_counted(first_steadily: bool, then_steadily: bool) -> Option<Value> {
    let mut rig = Rig::new().await;
    rig.add("old", 100_000);
    for n in 0..150 {
        rig.add_done(&format!("t{n}"), n * 60);
    }
    rig.poller.poll().await.unwrap();
    for (seconds, steadily) in [(3_000, first_steadily), (60, then_steadily)] {
        rig.fails_again("old", seconds);
        if steadily {
            rig.poller.poll_steadily().await.unwrap();
        } else {
            rig.poller.poll().await.unwrap();
        }
    }
    rig.poller.poll().await.unwrap();
    rig.poller.poll_steadily().await.unwrap();
    assert_eq!(rig.sim.task("old").unwrap().status, TaskStatus::Failed);
    let page = Arc::clone(&rig.page.borrow());
    value(&page, Metric::Failures, "CODE")
}

#[tokio::test]
async fn a_deep_task_that_fails_twice_unseen_counts_twice_by_whatever_call() {
    for (first, then) in [(false, false), (true, true), (true, false), (false, true)] {
        let counted = failures_counted(first, then).await;
        assert_eq!(counted, Some(Value::Whole(2)), "{first} {then}");
    }
}

#[tokio::test]
async fn one_server_error_on_the_first_page_does_not_end_steady_polls_for_ever() {
    let mut rig = Rig::new().await;
    for n in 0..250 {
        rig.add_done(&format!("t{n}"), (250 - n) * 60);
    }
    rig.poller.poll().await.unwrap();
    rig.poller.poll_steadily().await.unwrap();
    assert_eq!(rig.polls(), (1, 1));
    rig.sim
        .inject(Fault::new(Endpoint::List, FaultKind::Status(500)).times(1));
    rig.poller.poll_steadily().await.unwrap();
    for _ in 0..3 {
        rig.poller.poll().await.unwrap();
    }
    rig.poller.poll_steadily().await.unwrap();
    assert!(rig.polls().1 > 1, "{:?}", rig.polls());
}

#[tokio::test]
async fn an_unfinished_task_whose_id_cannot_be_asked_for_has_not_vanished() {
    let mut rig = Rig::new().await;
    rig.add("old task", 400_000);
    for n in 0..150 {
        rig.add_done(&format!("t{n}"), n * 60);
    }
    rig.poller.poll().await.unwrap();
    rig.poller.poll_steadily().await.unwrap();
    assert_eq!(rig.sim.request_count(Endpoint::Task), 0);
    let page = Arc::clone(&rig.page.borrow());
    assert_eq!(
        value(&page, Metric::Tasks, "running"),
        Some(Value::Whole(1))
    );
    assert_eq!(
        value(&page, Metric::Vanished, "UPGRADE"),
        Some(Value::Whole(0))
    );
}

#[tokio::test]
async fn one_page_of_many_unfinished_tasks_is_followed_by_the_next() {
    let mut rig = Rig::new().await;
    for n in 0..500 {
        rig.add_done(&format!("t{n}"), n * 60 + 50_000);
    }
    for n in 0..250 {
        rig.add(&format!("r{n}"), n * 60);
    }
    rig.poller.poll().await.unwrap();
    rig.sim.clear_requests();
    rig.poller.poll_steadily().await.unwrap();
    let count = |endpoint| rig.sim.request_count(endpoint);
    assert_eq!((count(Endpoint::List), count(Endpoint::Task)), (3, 0));
}
