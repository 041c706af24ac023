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
from systemd import version

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
    words = jail.arguments(PIDS + 'scope = "own"\n', *TRUE)
    template = "systemd-run --user --scope -p Delegate=yes immure … (as root without --user)"
    done = unit(words, user="nobody")
    hint = told(done, 'set limits.scope = "unit"')
    plain = jail.arguments(PIDS, *TRUE)
    gone(unit([*plain[:2], "--set", hint.removeprefix("set ").replace(" = ", "="), *words[2:]], "Delegate=yes", user="nobody"))
    # Outside of every unit.
    enter = ["sh", "-c", 'echo $$ >/sys/fs/cgroup/cgroup.procs && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"', "sh"]
    hint = told(subprocess.run([*enter, *plain], capture_output=True, text=True, timeout=60), template)
    gone(subprocess.run(as_tester(typed(hint, plain)), capture_output=True, text=True, timeout=60))
    gone(subprocess.run([word for word in typed(hint, plain) if word != "--user"], capture_output=True, text=True, timeout=60))


def lines(hint):
    """The lines that a hint gives a unit."""
    return re.search(r"\[Service\] (.*?)(?:; to leave|$)", hint).group(1).split("; ")


def test_e01_a_unit_that_is_not_delegated(jail, manager):  # noqa: F811
    words = jail.arguments(PIDS, *TRUE)
    template = "as root: systemctl edit {}, [Service] {}"
    hint = told(unit(words), "{} edit {}, [Service] {}", '; to leave it and its limits: {}')
    assert hint.startswith("as root: systemctl edit run-") and lines(hint) == ["Delegate=yes"], template
    assert 'set limits.scope = "own"' in hint
    gone(unit(words, *lines(hint)))
    gone(unit([*words[:2], "--set", 'limits.scope="own"', *words[2:]]))
    hint = told(unit(words, "Delegate=yes", "ProtectControlGroups=yes"), "{} edit {}, [Service] {}")
    gone(unit(words, "Delegate=yes", "ProtectControlGroups=yes", *lines(hint)))
    start = ["systemd-run", "--user", "--quiet", "--collect", "--wait", "--pipe"]
    hint = told(subprocess.run(as_tester([*start, *words]), capture_output=True, text=True, timeout=60), "{} edit {}, [Service] {}")
    assert hint.startswith("systemctl --user edit run-")
    gone(subprocess.run(as_tester([*start, "-p", lines(hint)[0], *words]), capture_output=True, text=True, timeout=60))
    start = ["systemd-run", "--quiet", "--scope", "-p", "MemoryMax=40M"]
    hint = told(subprocess.run([*start, *words], capture_output=True, text=True, timeout=60), "start it by systemd-run --scope -p Delegate=yes …")
    gone(subprocess.run([*start, *"-p Delegate=yes".split(), *words], capture_output=True, text=True, timeout=60))


#: Directives with which no jail can be made, and what the hint must give the unit.
HINDERING = [
    (["RestrictNamespaces=yes"], {"RestrictNamespaces=no"}),
    (["ProtectKernelTunables=yes"], {"ProtectKernelTunables=no"}),
    (["ProcSubset=pid"], {"ProcSubset=all"}),
    (["RestrictAddressFamilies=AF_UNIX"], {"RestrictAddressFamilies=AF_INET"}),
    (["SystemCallFilter=@system-service"], {"SystemCallErrorNumber=EPERM"}),
    (["SystemCallFilter=@system-service", "SystemCallErrorNumber=EPERM"], set()),
    (["SystemCallFilter=~@mount"], set()),
    (["SystemCallFilter=~@setuid", "SystemCallErrorNumber=EPERM"], set()),
    (["LimitNPROC=1"], {"LimitNPROC=infinity"}),
    # All of them in one go.
    (["RestrictNamespaces=yes", "ProtectKernelTunables=yes", "ProcSubset=pid", "RestrictAddressFamilies=AF_UNIX",
      "SystemCallFilter=@system-service", "SystemCallFilter=~@privileged"],
     {"RestrictNamespaces=no", "ProcSubset=all", "RestrictAddressFamilies=AF_INET"}),
]


@pytest.mark.parametrize("caller", [[], ["User=www-data"], ["DynamicUser=yes"]], ids=lambda caller: "".join(caller) or "root")
@pytest.mark.parametrize("directives, wanted", HINDERING, ids=lambda value: ",".join(value) if isinstance(value, list) else "")
def test_e06_a_directive_that_keeps_a_jail_from_being_made(jail, directives, wanted, caller):
    """It is named, with what to give the unit, before anything of the command runs."""
    words = jail.arguments("", "sh", "-c", "echo ran")
    done = unit(words, *directives, *caller)
    assert done.stdout == "", done
    hint = told(done, "{} edit {}, [Service] {}")
    assert wanted <= set(lines(hint)), hint
    done = unit(words, *directives, *caller, *lines(hint))
    assert (done.returncode, done.stdout, hints(done.stderr)) == (0, "ran\n", []), done


@pytest.mark.parametrize("more", [[], ["SystemCallFilter=~@setuid @keyring", "SystemCallErrorNumber=EPERM"]], ids=lambda more: ",".join(more))
def test_e06_a_host_name_that_is_the_units(jail, more):
    """ProtectHostname= refuses sethostname(2) by a filter of its own, which SystemCallFilter= opens in no way."""
    words = jail.arguments('hostname = "inside"\n', "sh", "-c", "hostname || uname -n")
    for caller in ([], ["User=www-data"]):
        done = unit(words, "ProtectHostname=yes", *more, *caller)
        hint = told(done, "{} edit {}, [Service] {}")
        assert "ProtectHostname=no" in lines(hint), hint
        done = unit(words, "ProtectHostname=yes", *more, *caller, *lines(hint))
        assert (done.returncode, done.stdout) == (0, "inside\n"), done


@pytest.mark.parametrize("directives", [["ProtectKernelLogs=yes"], ["ProtectHostname=yes", "PrivateTmp=yes"], ["ProtectKernelLogs=yes", "ProtectHostname=yes"]], ids=",".join)
def test_e06_files_of_proc_that_the_unit_covers(jail, directives):
    """From systemd 257 on."""
    words = jail.arguments("", "sh", "-c", "echo ran")
    for caller in ([], ["User=www-data"], ["DynamicUser=yes"]):
        done = unit(words, *directives, *caller)
        if done.returncode == 0:
            assert version() < 257 and done.stdout == "ran\n", done
            continue
        hint = told(done, "{} edit {}, [Service] {}")
        assert {line.replace("=no", "=yes") for line in lines(hint)} <= set(directives), hint
        done = unit(words, *directives, *caller, *lines(hint))
        assert (done.returncode, done.stdout) == (0, "ran\n"), done
        gone(unit([*words[:2], "--set", "filesystem.proc=false", *words[2:]], *directives, *caller))


@pytest.mark.parametrize("names", ["INVOCATION_ID", "INVOCATION_ID SYSTEMD_EXEC_PID"])
def test_e06_a_filter_of_a_jail_is_not_the_units(jail, names):
    """What the jail around it refuses no line of the unit gives back."""
    keep = ", ".join(f'"{name}"' for name in names.split())
    spec = f'namespaces = {{ nested = true, cgroup = "host" }}\nseccomp.deny = ["keyctl"]\nenvironment.keep = [{keep}]\n[filesystem]\nro = ["{jail.binary}:/opt/immure"]\n'
    done = unit(jail.arguments(spec, "/opt/immure", "run", "--", *TRUE), "Delegate=yes")
    assert "systemctl" not in done.stderr, done
    hint = told(done, 'keyrings are refused here, as in most containers: go without one of the jail\'s own by process.keyring = "inherit"')
    assert 'process.keyring = "inherit"' in hint
    gone(unit(jail.arguments(spec, "/opt/immure", "run", "--set", 'process.keyring="inherit"', "--", *TRUE), "Delegate=yes"))


@pytest.mark.parametrize("caller", [[], ["User=www-data"]], ids=lambda caller: "".join(caller) or "root")
def test_e06_a_proc_that_cannot_be_written_to(jail, caller):
    words = jail.arguments("", *TRUE)
    hint = told(unit(words, "ReadOnlyPaths=/", *caller), "{} edit {}, [Service] {}")
    assert lines(hint) == ["ReadWritePaths=/proc"]
    gone(unit(words, "ReadOnlyPaths=/", *lines(hint), *caller))


def test_e06_no_process_left(jail):
    """Once: a fork that fails late is a trial for the guest's kernel."""
    words = jail.arguments("", *TRUE)
    hint = told(unit(words, "TasksMax=2"), "{} edit {}, [Service] {}")
    assert lines(hint) == ["TasksMax=100"]
    gone(unit(words, "TasksMax=2", *lines(hint)))


def test_e06_no_descriptor_left(jail):
    words = jail.arguments("", *TRUE)
    hint = told(unit(words, "LimitNOFILE=8"), "no descriptor is left: raise `ulimit -n` (RLIMIT_NOFILE) of the shell that starts immure, or LimitNOFILE= of its unit")
    gone(unit(words, "LimitNOFILE=8", re.search(r"LimitNOFILE=", hint).group(0) + "1024"))


def test_e06_what_works_all_the_same(jail):
    """personality(2) is not asked where the answer is refused."""
    for caller in ([], ["User=tester"], ["DynamicUser=yes"]):
        gone(unit(jail.arguments("", *TRUE), "LockPersonality=yes", "MemoryDenyWriteExecute=yes", "NoNewPrivileges=yes", *caller))


def test_e06_root_without_its_capabilities(jail):
    words = jail.arguments("", *TRUE)
    for directive in ("CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"):
        hint = told(unit(words, directive), 'launch as an ordinary user, or with the capability, which CapabilityBoundingSet=~ gives a unit; or write identity.user = "root"')
        gone(unit(words, directive, re.search(r"CapabilityBoundingSet=~", hint).group(0)))


@pytest.mark.parametrize("caller", [["User=tester", "SupplementaryGroups=audio"], ["User=tester"], []], ids=" ".join)
def test_groups_in_a_user_namespace_of_the_units(jail, caller):
    """PrivateUsers= maps two ids and denies setgroups(2): refused before anything runs, with the way to the same groups."""
    written = jail.arguments('[identity]\ngroups = ["audio"]\n', "id", "-G")
    done = unit(written, "PrivateUsers=yes", *caller)
    assert done.stdout == "", done
    told(done, "setgroups(2) is denied in this user namespace, which is that of a unit with PrivateUsers=: remove the line to keep what "
         "SupplementaryGroups= gives, or have root launch with PrivateUsers=no")
    # Without the line those of the unit stay: one that the namespace does not map is 65534 there, and opens its files.
    shared = Path("/srv/of-audio")
    shared.write_text("heard\n")
    os.chown(shared, 0, 29)
    shared.chmod(0o640)
    spec = f'[filesystem]\nro = ["{shared}"]\n'
    done = unit(jail.arguments(spec, "cat", str(shared)), "PrivateUsers=yes", *caller)
    assert (done.returncode == 0) is (caller == ["User=tester", "SupplementaryGroups=audio"] or not caller), done
    done = unit(written, "PrivateUsers=no")
    assert done.returncode == 0 and "29" in done.stdout.split(), done


@pytest.mark.parametrize("spec", ["", 'user = "www-data"\ngroup = "audio"\n', "user = 0\ngroup = 0\n"])
def test_an_identity_in_a_user_namespace_of_the_units(jail, spec):
    """One user and one group need no helper: each caller has them, and whom the map names outside stays the unit's own."""
    wanted = {"": None, "user = 0\ngroup = 0\n": ["0", "0"]}.get(spec, ["33", "29"])
    for caller in ([], ["User=tester"], ["User=tester", "Group=audio"], ["DynamicUser=yes"]):
        words = jail.arguments("[identity]\n" + spec if spec else "", "sh", "-c", "id -u; id -g; cat /proc/self/uid_map | wc -l")
        done = unit(words, "PrivateUsers=yes", *caller)
        assert done.returncode == 0 and done.stdout.split()[2] == "1", done
        assert wanted in (None, done.stdout.split()[:2]), done


def test_ranges_in_a_user_namespace_of_the_units(jail):
    words = jail.arguments('[identity]\nuid_map = "auto"\ngid_map = "auto"\n', *TRUE)
    told(unit(words, "PrivateUsers=yes", "User=tester"),
         "this user namespace does not have the ids of {}, see /proc/self/uid_map; where it is a unit's: PrivateUsers=no")
    gone(unit(words, "PrivateUsers=no", "User=tester"))
    told(unit(words, "User=tester", "Group=audio"),
         "{}(1) serves an account with its own group: give the unit no Group=, and what it is to have besides by SupplementaryGroups=")
    gone(unit(words, "User=tester", "SupplementaryGroups=audio"))


def test_e06_a_spec_that_the_unit_hides(jail):
    for name in ("/home/tester", "/srv/veiled"):
        Path(name).mkdir(exist_ok=True)
    for place, directive in (("/home/tester", "ProtectHome=yes"), ("/home/tester", "ProtectHome=tmpfs"), ("/tmp", "PrivateTmp=yes"), ("/srv/veiled", "InaccessiblePaths=/srv/veiled")):
        spec = Path(place) / "hidden.toml"
        spec.write_text('command = ["true"]\n')
        spec.chmod(0o644)
        for caller in ([], ["User=tester"]):
            words = [str(jail.binary), "run", str(spec)]
            hint = told(unit(words, directive, *caller), "{} has mounted something over {}: give it {}, or put the file elsewhere")
            gone(unit(words, directive, *caller, re.search(r"give it (\w+=\w*),", hint).group(1)))
        words = jail.arguments(f'[filesystem]\nro = ["{place}/hidden.toml:/x"]\n', *TRUE)
        hint = told(unit(words, directive), "{} has mounted something over {}: give it {}, or put the file elsewhere")
        gone(unit(words, directive, re.search(r"give it (\w+=\w*),", hint).group(1)))


def test_e06_a_directory_that_the_unit_does_not_make(jail):
    for name in ("State", "Runtime", "Cache", "Logs", "Configuration"):
        words = jail.arguments('[filesystem]\nro = ["${%s_DIRECTORY}:/x"]\n' % name.upper(), *TRUE)
        hint = told(unit(words), "a unit sets it by {}=NAME; check takes --env {}=DIRECTORY")
        gone(unit(words, re.search(r"by (\w+=)NAME", hint).group(1) + "hinted"))


def test_e16_a_directory_of_several(jail):
    words = jail.arguments('[filesystem]\nro = ["${STATE_DIRECTORY}:/x"]\n', *TRUE)
    hint = told(unit(words, "StateDirectory=hinted other"), "write the one that is meant, or give {}= only that")
    gone(unit(words, "StateDirectory=hinted", re.search(r"give (\w+=) only", hint).group(1) + "hinted"))
    gone(unit(jail.arguments('[filesystem]\nro = ["/var/lib/other:/x"]\n', *TRUE), "StateDirectory=hinted other"))


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
    spec = PIDS + 'scope = "own"\n' + f'[[limits.io]]\ndevice = "{os.environ["VM_RUN_DISK"]}"\nwbps = "1M"\n'
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
