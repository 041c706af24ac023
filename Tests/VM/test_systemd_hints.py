"""Hints about control groups where systemd hands them out: each is printed, then followed as it stands."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from limits import CGROUPS, Jail
from test_systemd_limits import as_tester, manager, unit  # noqa: F401

from harness.hints import among, hints

PIDS = "[limits]\npids = 20\n"
TRUE = ("/bin/true",)


@pytest.fixture
def jail(binary):
    return Jail(binary)


def told(done, *templates):
    assert done.returncode == 125, done
    return among(done.stderr, *templates)


def gone(done):
    assert (done.returncode, hints(done.stderr)) == (0, []), done


def typed(hint, words):
    """The hint's command line with the launch in place of `immure …`."""
    line = re.search(r"systemd-run .*?immure …", hint).group(0)
    return [*line.removesuffix("immure …").split(), *words]


def test_a_caller_without_a_manager(jail, manager):  # noqa: F811
    words = jail.arguments(PIDS, *TRUE)
    hint = told(unit(words, user="nobody"), "systemd-run --user --scope -p Delegate=yes immure … (as root without --user)")
    gone(subprocess.run(as_tester(typed(hint, words)), capture_output=True, text=True, timeout=60))
    gone(subprocess.run([word for word in typed(hint, words) if word != "--user"], capture_output=True, text=True, timeout=60))


def test_a_threaded_group(jail):
    group = CGROUPS / "threads"
    (group / "inner").mkdir(parents=True)
    try:
        (group / "inner/cgroup.type").write_text("threaded")
        words = jail.arguments(PIDS, *TRUE)
        done = subprocess.run(["setfattr", "-n", "user.delegate", "-v", "1", group / "inner"], capture_output=True)
        enter = ["sh", "-c", f'echo $$ >{group}/cgroup.procs && echo $$ >{group}/inner/cgroup.threads && exec "$@"', "sh"]
        hint = told(subprocess.run([*enter, *words], capture_output=True, text=True, timeout=60), "start immure outside of it: systemd-run --scope -p Delegate=yes immure …")
        gone(subprocess.run([*enter, *typed(hint, words)], capture_output=True, text=True, timeout=60))
    finally:
        for folder in (group / "inner", group):
            os.rmdir(folder)


def test_a_unit_that_is_given_less_than_the_jail_asks_for(jail):
    """Delegate=pids: the group has no controller but that and those that every unit of its slice has."""
    words = jail.arguments(PIDS + f'[[limits.io]]\ndevice = "{os.environ["VM_RUN_DISK"]}"\nwbps = "1M"\n', *TRUE)
    done = unit(words, "Slice=hints.slice", "Delegate=pids")
    hint = told(done, "give the unit Delegate=yes", "{}; for a user's: {}")
    gone(unit(words, "Slice=hints.slice", hint.split(";")[0].removeprefix("give the unit ")))


def test_a_controller_that_users_do_not_get(jail, manager):  # noqa: F811
    spec = PIDS + f'[[limits.io]]\ndevice = "{os.environ["VM_RUN_DISK"]}"\nwbps = "1M"\n'
    words = jail.arguments(spec, *TRUE)
    hint = told(unit(words, user="tester"), "as root: systemctl edit user@.service, [Service] Delegate=cpu cpuset io memory pids", "; then log in again")
    drop = Path("/etc/systemd/system/user@.service.d/hint.conf")
    drop.parent.mkdir(parents=True, exist_ok=True)
    drop.write_text("\n".join(re.search(r"(\[Service\]) (Delegate=[a-z ]*)", hint).groups()) + "\n")
    try:
        for step in (["daemon-reload"], ["restart", "user@1000.service"]):
            subprocess.run(["systemctl", *step], check=True, timeout=60)
        gone(unit(words, user="tester"))
    finally:
        drop.unlink()
        for step in (["daemon-reload"], ["restart", "user@1000.service"]):
            subprocess.run(["systemctl", *step], check=True, timeout=60)


@pytest.mark.parametrize("property", ["ProtectSystem=strict", "ReadOnlyPaths=/srv"])
@pytest.mark.parametrize("user", [None, "tester"])
def test_e04_a_path_that_the_unit_has_made_read_only(jail, property, user):
    place = jail.folder / "mine"
    place.mkdir(exist_ok=True)
    place.chmod(0o777)
    words = jail.arguments(f'[filesystem]\nrw = ["{place}:/mine"]\n', "sh", "-c", "echo x >/mine/file")
    done = unit(words, property, user=user)
    hint = told(done, "where a unit of systemd has made it so, give the unit ReadWritePaths={}")
    assert f"{place} is on a mount that is ro" in done.stderr and not (place / "file").exists()
    gone(unit(words, property, hint.split()[-1], user=user))
    (place / "file").unlink()


def test_what_a_manager_gives_to_a_unit(jail):
    for key, value in (("notify", '"main"'), ("credentials", "true")):
        words = jail.arguments(f"[service]\n{key} = {value}\n", "python3", "-c", NOTIFY if key == "notify" else "")
        hint = told(unit(words), "start it by a unit with {}, or set service.optional = true to go without")
        directive = re.search(r"unit with (\S+),", hint).group(1)
        gone(unit(words, directive + ("x:/etc/hostname" if directive.endswith("=") else "")))


NOTIFY = """
import os, socket
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.connect(os.environ["NOTIFY_SOCKET"])
sock.send(b"READY=1")
"""
