"""`hide`: made unreachable, file or directory; a protective mount that fails stops the launch (C06, T20)."""

import os

import pytest

from harness.patience import Spent
from harness.tree import rooted, tree

MASKS = ["/proc/keys", "/proc/timer_list", "/proc/kallsyms", "/proc/acpi", "/proc/keys"]


def hiding(paths, more=""):
    return f"[filesystem]\nhide = [{', '.join(f'{chr(34)}{path}{chr(34)}' for path in paths)}]\n{more}"


def test_t20_c06_what_is_hidden_is_empty_and_has_a_mount(caller):
    paths = [path for path in dict.fromkeys(MASKS) if os.path.exists(path)]
    facts = caller.facts(hiding(MASKS))
    for path in paths:
        assert path in facts.mounts, path
        found = caller.shell(hiding(MASKS), f"if [ -d {path} ]; then ls -A {path}; else cat {path}; fi")
        assert found.stdout == "", path


def test_t20_sys_firmware_is_hidden_on_a_sysfs(caller):
    spec = hiding(["/sys/firmware"], '[[mount]]\ntarget="/sys"\ntype="sysfs"')
    facts = caller.facts(spec)
    assert "/sys/firmware" in facts.mounts
    assert caller.shell(spec, "ls -A /sys/firmware").stdout == ""


def test_files_and_directories_below_the_system_root(caller):
    spec = hiding(["/etc/ssl", "/etc/hostname", "/usr/share/doc"])
    run = caller.shell(spec, "ls -A /etc/ssl /usr/share/doc 2>/dev/null | grep -v : ; cat /etc/hostname 2>/dev/null")
    assert run.stdout.strip() == ""


@pytest.mark.parametrize("path", ["/etc/ssl", "/etc/hostname"])
def test_it_cannot_be_written_either(caller, path):
    run = caller.shell(
        hiding([path]), f"[ -d {path} ] && touch {path}/x || echo x > {path}; cat {path} {path}/x 2>/dev/null"
    )
    assert run.stdout == ""


def test_what_is_not_there_needs_no_hiding(caller):
    caller.run(hiding(["/no/such/place"]), "/bin/true").ok


def test_hiding_is_not_undone_by_a_bind_of_its_parent(caller):
    place = caller.directory()
    caller.file(place / "secret", "secret")
    spec = f'[filesystem]\nhide = ["/opt/x/secret"]\nrw = ["{place}:/opt/x"]'
    assert "secret" not in caller.shell(spec, "cat /opt/x/secret").stdout


def test_hiding_through_a_symlink_hides_what_it_points_to(caller):
    place = tree(caller, "real")
    caller.file(place / "real/secret", "secret")
    (place / "link").symlink_to("real")
    run = caller.shell(
        rooted(place, 'hide = ["/link/secret"]'), "cat /real/secret /link/secret 2>&1 | grep -c '^secret$'"
    )
    assert run.stdout.strip() == "0"


def test_a_hidden_directory_cannot_be_left_upwards(caller):
    run = caller.shell(hiding(["/usr/share"]), "ls /usr/share/../share/doc 2>/dev/null")
    assert run.stdout == ""


def test_hide_in_the_hosts_tree(caller):
    spec = '[filesystem]\nroot = "host"\nhide = ["/var", "/home"]'
    assert caller.shell(spec, "ls -A /var /home | grep -v :").stdout.strip() == ""


@pytest.mark.parametrize("call", ["move_mount", "mount_setattr", "fsmount", "open_tree", "mount"])
def test_c06_a_mask_that_cannot_be_put_stops_the_launch(caller, compiled, call):
    caller.wrapper = (compiled("shim"), f"{call}=1", "--")
    run = caller.shell(hiding(["/etc/hostname", "/etc/ssl"]), "cat /etc/hostname; ls -A /etc/ssl")
    # An implementation may do without that call: then what is hidden is hidden all the same.
    assert run.stdout == "", run


def test_eighty_thousand_lines(caller):
    """Each was compared with all before it, two minutes."""
    text = "".join(f'"/u/{number}",\n' for number in range(80000))
    spec = caller.spec(f'command = ["true"]\n[filesystem]\nhide = [\n{text}"/u/7"]\n')
    with Spent() as spent:
        run = caller.verb("check", spec, timeout=60)
    assert run.ok and spent.seconds < 10, f"{spent.seconds} s of the processor's time"
