use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use virt_task_exporter::clock::Clock;
use virt_task_exporter::metrics::Metric;
use virt_task_exporter::simulator::{SimTask, SubTask, TaskError};

use crate::support::{Exporter, Format, Page, eventually, missing, readme_blocks, simulated};

/// An exporter whose page shows every family that a source can have.
async fn eventful(folder: &TempDir) -> (Exporter, impl Sized + use<>) {
    let simulated = simulated().await;
    let sddc = &simulated.sddc;
    sddc.history(40);
    let exporter = simulated.exporter(folder).await;
    exporter.ready().await;
    let task = |name: &str| {
        let now = Clock::system().now();
        let step = SubTask::new("step \"1\" of C:\\", now);
        SimTask::new("UPGRADE \"x\\y\"\n", name)
            .created(now)
            .sub_task(step)
            .running()
    };
    sddc.add(task("runs"));
    let gone = sddc.add(task("vanishes"));
    let fails = sddc.add(task("fails"));
    sddc.fail(&fails, TaskError::new("E \"1\"", ""));
    shows(&exporter, "virt_task_started_total", 3.0).await;
    sddc.remove(&gone);
    shows(&exporter, "virt_task_vanished_total", 1.0).await;
    shows(&exporter, "virt_subtask_failures_total", 1.0).await;
    (exporter, simulated)
}

async fn shows(exporter: &Exporter, name: &str, value: f64) {
    let what = format!("{name} sums to {value}");
    let witness = async || exporter.witness().await;
    eventually(&what, witness, async || {
        let sum = exporter.page(Format::Classic).await.sum(name, &[]);
        if sum.total_cmp(&value).is_eq() {
            Ok(())
        } else {
            Err(sum.to_string())
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_finds_nothing_to_mend() {
    let folder = tempfile::tempdir().unwrap();
    let (exporter, _source) = eventful(&folder).await;
    let page = exporter.page(Format::Classic).await.text;
    let output = promtool(&["check", "metrics"], &page);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        output.status.success() && said.is_empty(),
        "{}\n{said}\n{page}",
        output.status
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn both_formats_hold_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (exporter, _source) = eventful(&folder).await;
    let (classic, open) = at_once(&exporter).await;
    assert!(open.text.ends_with("\n# EOF\n"), "{}", open.text);
    assert!(!classic.text.contains("# EOF"), "{}", classic.text);
    assert_eq!(still(&classic), still(&open));
    assert_eq!(classic.samples.len(), open.samples.len());
    for metric in Metric::ALL {
        let family = metric.family();
        let short = family.name.trim_end_matches("_total");
        let kind = family.kind.as_str();
        let (Some(one), Some(two)) = (classic.types.get(family.name), open.types.get(short)) else {
            panic!("{} is not on the page\n{}", family.name, classic.text);
        };
        assert_eq!(
            (one.as_str(), two.as_str()),
            (kind, kind),
            "{}",
            family.name
        );
        assert_eq!(classic.helps[family.name], family.help);
        assert!(
            open.helps[short].starts_with(family.help),
            "{}",
            open.helps[short]
        );
    }
    assert_eq!(
        classic.types.len(),
        Metric::ALL.len(),
        "{:#?}",
        classic.types
    );
    assert_eq!(open.types.len(), Metric::ALL.len(), "{:#?}", open.types);
}

#[test]
fn promtool_takes_what_the_readme_offers_to_paste() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = readme_blocks("yaml").filter(|block| block.starts_with("scrape_configs:"));
    let blocks: Vec<_> = blocks.collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, block).unwrap();
        let output = promtool(&["check", "config", file.to_str().unwrap()], "");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{said}");
    }
}

/// Reads a page with the parser of a format, and prints each sample on a line.
const READER: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as classic
read = {'open': open_metrics, 'classic': classic}[sys.argv[1]]
for family in read(sys.stdin.read()):
    for sample in family.samples:
        if not sample.name.startswith('process_'):
            print(sample.name, sorted(sample.labels.items()), float(sample.value))
";

#[tokio::test(flavor = "multi_thread")]
async fn the_strict_parser_reads_the_same_from_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    let (exporter, _source) = eventful(&folder).await;
    let (classic, open) = at_once(&exporter).await;
    let read = |format, page: &Page| {
        let output = run("/usr/bin/python3", &["-c", READER, format], &page.text);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}\n{}", page.text);
        String::from_utf8(output.stdout).unwrap()
    };
    let (classic, open) = (read("classic", &classic), read("open", &open));
    assert!(classic.lines().count() > 200, "{classic}");
    for (classic, open) in classic.lines().zip(open.lines()) {
        assert_eq!(classic, open);
    }
    assert_eq!(classic.lines().count(), open.lines().count());
}

/// Runs promtool over some input.
fn promtool(arguments: &[&str], input: &str) -> Output {
    run("promtool", arguments, input)
}

fn run(program: &str, arguments: &[&str], input: &str) -> Output {
    let command = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = command.unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound => panic!("{}", missing(program)),
        _ => panic!("cannot start {program}: {error}"),
    });
    let mut stdin = child.stdin.take().unwrap();
    // It need not read what it was not asked to.
    stdin.write_all(input.as_bytes()).unwrap_or_default();
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// The page in both formats, with no poll in between.
async fn at_once(exporter: &Exporter) -> (Page, Page) {
    let witness = async || exporter.witness().await;
    eventually("two pages of one poll", witness, async || {
        let before = exporter.page(Format::Classic).await;
        let open = exporter.page(Format::OpenMetrics).await;
        let after = exporter.page(Format::Classic).await;
        if still(&before) == still(&after) {
            Ok((before, open))
        } else {
            Err(String::new())
        }
    })
    .await
}

/// What does not move between two scrapes.
fn still(page: &Page) -> BTreeMap<&str, &str> {
    let samples = page.samples.iter();
    let samples = samples.filter(|(series, _)| !series.starts_with("process_"));
    samples
        .map(|(series, value)| (series.as_str(), value.as_str()))
        .collect()
}
