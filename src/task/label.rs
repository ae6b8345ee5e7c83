//! Texts from outside, made fit to be label values.

use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// The longest label value, in bytes.
pub const LONGEST: usize = 200;

/// The text as a label value: no control characters, at most [`LONGEST`] bytes,
/// cut on a character boundary.
///
/// Escaping quotes, backslashes and newlines is the encoder's work; a bare
/// control character would reach the terminal of whoever looks at the page.
pub fn clean(text: &str) -> String {
    let mut label = String::with_capacity(text.len().min(LONGEST));
    for c in text.trim().chars() {
        let c = if c.is_control() { ' ' } else { c };
        if label.len() + c.len_utf8() > LONGEST {
            break;
        }
        label.push(c);
    }
    label
}

/// What changes from run to run in the name of a sub-task: UUIDs, IPv6 and
/// IPv4 addresses, host names, and numbers of four digits or more.
static CHANGING: LazyLock<Regex> = LazyLock::new(|| {
    let uuid = r"(?i:\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)";
    let ipv6 = r"(?<ipv6>\b[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){1,6}:[0-9A-Fa-f]{1,4}\b)";
    let ipv4 = r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b";
    let host =
        r"(?<host>(?i:\b[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+))";
    let number = r"[0-9]{4,}";
    Regex::new(&format!("{uuid}|{ipv6}|{ipv4}|{host}|{number}")).expect("the pattern is valid")
});

/// The name of a sub-task as a label value: what changes from run to run is `*`.
///
/// ```
/// use virt_task_exporter::task::label::subtask_name;
/// assert_eq!(subtask_name("sfo-vcf01.rainpole.io:FTP"), "*:FTP");
/// assert_eq!(subtask_name("Reboot 10.0.0.12 in 36000 ms"), "Reboot * in * ms");
/// ```
pub fn subtask_name(name: &str) -> String {
    let name = clean_whole(name);
    let general = CHANGING.replace_all(&name, |found: &Captures<'_>| {
        let text = found.get(0).map_or("", |whole| whole.as_str());
        let stays = match (found.name("ipv6"), found.name("host")) {
            (Some(_), _) => text.parse::<Ipv6Addr>().is_err(),
            (_, Some(_)) => !is_host(text),
            _ => false,
        };
        if stays {
            hide_numbers(text).into_owned()
        } else {
            "*".to_owned()
        }
    });
    clean(&general)
}

/// Far longer than any label, so that cutting comes after generalizing.
fn clean_whole(name: &str) -> String {
    let short: String = name.chars().take(LONGEST * 10).collect();
    short.replace(char::is_control, " ")
}

/// A dotted name is a host's unless it is a version or a reversed one such as
/// a Java class (`com.vmware.evo.sddc.Action`).
fn is_host(name: &str) -> bool {
    let mut labels = name.split('.');
    let reversed = labels
        .next()
        .is_some_and(|first| matches!(first, "com" | "org" | "net" | "io" | "java" | "javax"));
    let top = labels.next_back().unwrap_or_default();
    !reversed && top.len() >= 2 && top.chars().all(|c| c.is_ascii_lowercase())
}

fn hide_numbers(text: &str) -> Cow<'_, str> {
    static NUMBER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("[0-9]{4,}").expect("the pattern is valid"));
    NUMBER.replace_all(text, "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_cut_on_a_character_boundary() {
        let label = clean(&"é".repeat(150));
        assert_eq!(label.len(), LONGEST);
        assert_eq!(clean(&format!("x{}", "é".repeat(150))).len(), LONGEST - 1);
    }

    #[test]
    fn control_characters_become_blanks() {
        assert_eq!(clean("a\u{1b}[31m\nb\0c\u{85}"), "a [31m b c");
        assert_eq!(subtask_name("a\nb"), "a b");
    }

    #[test]
    fn names_lose_what_changes_from_run_to_run() {
        for (name, label) in [
            ("sfo-vcf01.rainpole.io:FTP", "*:FTP"),
            ("Ping 192.168.10.1:443", "Ping *:443"),
            ("Ping fe80::1ff:fe23:4567:890a", "Ping *"),
            (
                "Task a758bf1b-5114-4385-a1fc-3763cf2e584e done",
                "Task * done",
            ),
            ("Wait for 12345 blocks", "Wait for * blocks"),
            ("Bundle1234x", "Bundle*x"),
            ("Step 123", "Step 123"),
            ("HostVibValidationAction", "HostVibValidationAction"),
            (
                "com.vmware.evo.sddc.FetchDns",
                "com.vmware.evo.sddc.FetchDns",
            ),
            ("Upgrade to 9.0.2.0", "Upgrade to *"),
            ("Version 5.2.1", "Version 5.2.1"),
            ("at 10:20:30", "at 10:20:30"),
            ("Validate::Hosts", "Validate::Hosts"),
            ("", ""),
        ] {
            assert_eq!(subtask_name(name), label, "{name}");
        }
    }
}
