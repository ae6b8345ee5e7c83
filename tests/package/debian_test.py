"""The Debian package: what is in it, and its life on this machine.

    debian_test.py BINARY [--install]

builds it twice of BINARY. With --install, as root, it is installed here, run,
removed and purged, which leaves nothing behind but the account and what the
administrator wrote; the test removes these. No service manager is needed.
"""

import contextlib
import functools
import grp
import os
import pwd
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
PROJECT = Path(__file__).resolve().parents[2]
NAME = "virt-task-exporter"
PROGRAM = Path("/usr/bin", NAME)
CONFIG = Path("/etc", NAME, f"{NAME}.yml")
DEFAULTS = Path("/etc/default", NAME)
SECRET = CONFIG.with_name("a.password")
STATE = Path("/var/lib", NAME)
UNIT = Path("/usr/lib/systemd/system", f"{NAME}.service")
UNIT_SOURCE = PROJECT / "deploy/systemd" / UNIT.name
SECONDS = 60

binary = None
may_install = False
folder = None


def run(*command, expected=0, **options):
    """What a command says; it must end with `expected`."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=10 * SECONDS,
        **options,
    )
    if done.returncode != expected:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def setUpModule():
    global folder
    temporary = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(temporary.cleanup)
    folder = Path(temporary.name)


@functools.cache
def build(name):
    # Hardly compressed: that is not what is tested.
    environment = {**os.environ, "XZ_LEVEL": "0"}
    said = run(PROJECT / "deploy/debian/build", binary, folder / name, cwd="/", env=environment)
    return Path(said.splitlines()[-1])


class Service:
    """The program as the unit starts it: its account, its environment, its command."""

    def __init__(self):
        keys = re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE)
        self.keys = dict(keys)
        self.reloads = [value for key, value in keys if key == "ExecReload"]
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        for key, value in keys:
            if key == "Environment":
                self.set(value)
        for line in Path(self.keys["EnvironmentFile"].lstrip("-")).read_text().splitlines():
            if line and not line.startswith("#"):
                self.set(line)

    def set(self, pair):
        name, _, value = pair.partition("=")
        self.environment[name] = value

    def command(self, key):
        return self.as_service(self.keys[key].replace("$$", "$"))

    def as_service(self, command):
        account = f"--reuid={self.keys['User']}", f"--regid={self.keys['Group']}", "--clear-groups"
        words = shlex.split(command)
        return ["setpriv", *account, "--no-new-privs", "--bounding-set=-all", *words]

    def reload(self, process, expected=0):
        """One command after the other, up to the first that fails."""
        environment = {**self.environment, "MAINPID": str(process.pid)}
        for command in self.reloads:
            words = self.as_service(command.replace("$$", "$"))
            ended = subprocess.run(words, env=environment, cwd="/", timeout=SECONDS)
            if ended.returncode:
                break
        if ended.returncode != expected:
            raise AssertionError(f"{command} ended with {ended.returncode}")

    def is_skipped(self):
        command = self.command("ExecCondition")
        return subprocess.run(command, env=self.environment, timeout=SECONDS).returncode == 1

    def check(self):
        return run(*self.command("ExecStart"), "check", env=self.environment, cwd="/")


@contextlib.contextmanager
def started(command, **options):
    """A process whose log is read line by line, and which is ended if it still runs."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)
    timer = threading.Timer(SECONDS, process.kill)
    timer.start()
    try:
        yield process
    finally:
        process.terminate()
        with process.stderr as log:
            log.read()
        process.wait(SECONDS)
        timer.cancel()


def until(process, pattern):
    """The match of the first line of the log that has one."""
    log = []
    for line in process.stderr:
        log.append(line)
        if match := re.search(pattern, line):
            return match
    raise AssertionError(f"nothing like {pattern} in the log:\n" + "".join(log))


def get(address, path):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{address}{path}", timeout=SECONDS) as answer:
        return answer.read().decode()


def traces():
    """Files that belong to the package or to the service; logs and images are left aside."""
    folders = ["/etc", "/usr/bin", "/usr/lib", "/usr/share", "/var/lib", "/var/cache/man", "/run"]
    images = ["-not", "-path", "/var/lib/containers/*", "-not", "-path", "/var/lib/docker/*"]
    return run("find", *folders, "-xdev", "-name", f"*{NAME}*", *images).splitlines()


class Content(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.package = build("one")

    def test_the_same_sources_give_the_same_package(self):
        again = build("two")
        self.assertEqual(self.package.read_bytes(), again.read_bytes())

    def test_files_are_where_they_belong_and_nobody_may_write_them(self):
        rows = run("dpkg-deb", "--contents", self.package).splitlines()
        files = {row.split()[5]: row.split()[:2] for row in rows}
        for path, mode in {
            "./usr/bin/virt-task-exporter": "-rwxr-xr-x",
            "./usr/lib/systemd/system/virt-task-exporter.service": "-rw-r--r--",
            "./etc/virt-task-exporter/": "drwxr-x---",
            "./etc/virt-task-exporter/virt-task-exporter.yml": "-rw-r-----",
            "./etc/default/virt-task-exporter": "-rw-r--r--",
            "./usr/share/doc/virt-task-exporter/copyright": "-rw-r--r--",
            "./usr/share/doc/virt-task-exporter/changelog.gz": "-rw-r--r--",
            "./usr/share/doc/virt-task-exporter/changelog.Debian.gz": "-rw-r--r--",
            "./usr/share/doc/virt-task-exporter/third-party-licenses.gz": "-rw-r--r--",
            "./usr/share/doc/virt-task-exporter/sbom.cdx.json": "-rw-r--r--",
            "./usr/share/man/man1/virt-task-exporter.1.gz": "-rw-r--r--",
            "./usr/share/man/man1/virt-task-exporter-check.1.gz": "-rw-r--r--",
            "./usr/share/virt-task-exporter/dashboards/tasks.json": "-rw-r--r--",
            "./usr/share/virt-task-exporter/dashboards/rules/alerts.yml": "-rw-r--r--",
        }.items():
            self.assertEqual(files.get(path), [mode, "root/root"], path)
        for path, (mode, owner) in files.items():
            self.assertEqual(owner, "root/root", path)
            if mode.startswith("l"):
                continue
            self.assertNotRegex(mode, "^.(....w|.......w|..s|.....s)", path)

    def test_what_documents_link_to_is_there(self):
        unpacked = folder / "unpacked"
        run("dpkg-deb", "--extract", self.package, unpacked)
        documents = unpacked / "usr/share/doc" / NAME
        named = re.search(r"^#.* in /(usr/share/doc/\S+?)\.$", UNIT_SOURCE.read_text(), re.MULTILINE)
        self.assertEqual(unpacked / named[1], documents)
        links = 0
        for name in ["README.md", "SECURITY.md", "deploy/README.md", "deploy/kubernetes/README.md"]:
            document = documents / name
            for link in re.findall(r"\]\(([^)#:]+)[)#]", document.read_text()):
                self.assertTrue((document.parent / link).exists(), f"{name}: {link}")
                links += 1
        self.assertGreater(links, 10)

    def test_an_old_python_is_told_before_the_build(self):
        tools = folder / "tools"
        tools.mkdir()
        for name, code in [("python3", 1), ("cargo", 9)]:
            (tools / name).write_text(f"#!/bin/sh\nexit {code}\n")
            (tools / name).chmod(0o755)
        environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
        said = run(PROJECT / "deploy/debian/build", expected=1, env=environment)
        self.assertIn("older than 3.11", said)

    def test_the_fields_say_what_is_needed(self):
        fields = run("dpkg-deb", "--field", self.package)
        (depends,) = re.findall("(?m)^Depends: (.*)$", fields)
        # What deploy/Containerfile's base has, too.
        libraries = {word.split()[0] for word in depends.split(", ")} - {"adduser"}
        self.assertLessEqual(libraries, {"libc6", "libgcc-s1"})
        self.assertRegex(depends, r"\blibc6 \(>= 2\.")
        version = re.search(r'^version = "(.*)"', (PROJECT / "Cargo.toml").read_text(), re.MULTILINE)
        self.assertIn(f"\nVersion: {version[1]}-1\n", fields)

    def test_what_an_administrator_changes_is_kept(self):
        conffiles = run("dpkg-deb", "--info", self.package, "conffiles").split()
        self.assertEqual(conffiles, [str(CONFIG), str(DEFAULTS)])


class Life(unittest.TestCase):
    def setUp(self):
        if not may_install:
            self.skipTest("not installed: that takes root, and CI or the part package by name")
        self.assertEqual(os.geteuid(), 0, "only root can install a package")
        self.assertEqual(traces(), [], "something of the name is on this machine already")
        for database in ["passwd", "group"]:
            run("getent", database, NAME, expected=2)
        self.package = build("one")
        self.addCleanup(run, "deluser", "--system", "--quiet", NAME)
        self.addCleanup(self.forget)
        self.addCleanup(subprocess.run, ["dpkg", "--purge", NAME], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def test_from_installation_to_purge(self):
        self.install()
        self.serve()
        self.remove()

    def forget(self):
        """Removes what the administrator wrote."""
        SECRET.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            SECRET.parent.rmdir()

    def install(self):
        run("dpkg", "--install", self.package)
        account = pwd.getpwnam(NAME)
        for path, mode, owner in [
            (CONFIG.parent, 0o750, (0, account.pw_gid)),
            (CONFIG, 0o640, (0, account.pw_gid)),
            (STATE, 0o700, (account.pw_uid, account.pw_gid)),
        ]:
            status = path.stat()
            self.assertEqual(status.st_mode & 0o7777, mode, path)
            self.assertEqual((status.st_uid, status.st_gid), owner, path)
        wanted = Path("/etc/systemd/system/multi-user.target.wants", UNIT.name)
        self.assertTrue(wanted.is_symlink(), "the service is enabled")
        self.assertTrue(Service().is_skipped(), "there is nothing to poll yet")
        # Once more, as an upgrade does it.
        run("dpkg", "--install", self.package)
        self.assertEqual(CONFIG.stat().st_mode & 0o7777, 0o640)

    def serve(self):
        typed = re.findall(r"^#((?:[a-z]|  -|    [a-z]).*)$", CONFIG.read_text(), re.MULTILINE)
        CONFIG.write_text("\n".join(typed))
        self.assertIn("3 sources", Service().check())
        simulated = [PROGRAM, "simulate", "sddc_manager", "--listen=127.0.0.1:0"]
        with started(simulated, cwd="/") as system:
            address = until(system, r"(127\.0\.0\.1:[0-9]+)")[1]
            CONFIG.write_text(
                f"sources: [{{name: a, system: sddc_manager, url: 'http://{address}', "
                "username: svc-exporter@vsphere.local, password_file: a.password}]\n"
            )
            run("install", "--mode=0640", f"--group={NAME}", "/dev/null", SECRET)
            SECRET.write_text("demo\n")
            DEFAULTS.write_text("VTE_WEB_LISTEN_ADDRESS=127.0.0.1:0\n")
            self.scrape(Service())

    def scrape(self, service):
        self.assertFalse(service.is_skipped())
        command = service.command("ExecStart")
        run(*command, "check", "--login", env=service.environment, cwd="/")
        with started(command, env=service.environment, cwd="/") as process:
            address = until(process, r"(127\.0\.0\.1:[0-9]+)")[1]
            while 'virt_source_up{source="a"} 1' not in (page := get(address, "/metrics")):
                self.assertIsNone(process.poll(), page)
            self.assertIn('virt_tasks{source="a",', page)
            self.reload(service, process)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(SECONDS), 0)
        ledger = (STATE / "a.redb").stat()
        self.assertEqual(ledger.st_mode & 0o7777, 0o600)
        self.assertEqual(ledger.st_uid, pwd.getpwnam(NAME).pw_uid)

    def reload(self, service, process):
        good = CONFIG.read_text()
        CONFIG.write_text(good.replace("password_file", "pasword_file"))
        service.reload(process, expected=1)
        CONFIG.write_text(good)
        service.reload(process)
        # The first one that is heard of, as nothing was said before.
        self.assertIn("loaded again", until(process, "loaded").string)

    def remove(self):
        run("dpkg", "--remove", NAME)
        self.assertFalse(PROGRAM.exists())
        self.assertTrue(CONFIG.exists(), "a package that comes back finds its configuration")
        self.assertTrue((STATE / "a.redb").exists(), "and its ledgers")
        run("dpkg", "--purge", NAME)
        self.assertEqual(traces(), [str(SECRET.parent)])
        self.assertEqual(list(SECRET.parent.iterdir()), [SECRET], "what nobody else can restore")
        self.assert_kept_from_the_next_account()

    def assert_kept_from_the_next_account(self):
        following = f"{NAME}-next"
        run("adduser", "--system", "--group", "--quiet", "--no-create-home", following)
        self.addCleanup(run, "deluser", "--system", "--quiet", following)
        for path in [SECRET.parent, SECRET]:
            self.assertEqual(grp.getgrgid(path.stat().st_gid).gr_name, NAME, path)
        account = f"--reuid={following}", f"--regid={following}", "--init-groups"
        self.assertIn("Permission denied", run("setpriv", *account, "cat", SECRET, expected=1))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    may_install = "--install" in arguments
    binary = Path(next(word for word in arguments if not word.startswith("--"))).resolve()
    unittest.main(argv=sys.argv[:1], verbosity=2)
