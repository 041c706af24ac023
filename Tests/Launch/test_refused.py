"""What this host cannot do is refused by name, with its line and 125: never ignored."""

import re

import pytest

SPECS = {
    "network.veth": '[network]\nmode = "veth" # @',
    "network.macvlan": '[network]\nmode = "macvlan" # @\nparent = "nowhere"\naddress = ["10.9.0.2/24"]',
    "network.user": '[network]\nmode = "user" # @',
    "network.allow": '[network]\nmode = "user" # @\nallow = ["10.0.0.0/8:443/tcp"] # @',
    "network.allow by name": '[network]\nmode = "user" # @\nallow = ["*.example.org:443"] # @',
    "network.dns": '[network]\nmode = "user" # @\ndns = ["10.0.0.53"] # @',
}


@pytest.mark.parametrize("name", SPECS)
def test_it_is_refused_by_name_with_its_line(caller, name):
    text = SPECS[name]
    run = caller.run("\n" + text.replace(" # @", ""), "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == ""
    lines = {1 + number for number, line in enumerate(text.splitlines(), 1) if "# @" in line}
    # The section's header is as good a place as the key.
    lines |= {line - 1 for line in lines if text.startswith("[") and line == 3}
    found = {int(number) for number in re.findall(r"spec\.toml:(\d+):\d+: ", run.stderr)}
    assert found & lines, run
    assert name.split(".")[0] in run.stderr


@pytest.mark.parametrize("name", SPECS)
def test_check_takes_what_some_host_can_do(caller, name):
    """Whether this one has what it takes is for the launch to find out."""
    run = caller.verb("check", str(caller.spec(SPECS[name].replace(" # @", ""))))
    assert run.status == 0 and run.stderr == "", run


@pytest.mark.parametrize("section", ["limits", "seccomp", "landlock", "network"])
def test_an_empty_section_asks_for_nothing(caller, section):
    caller.run(f"[{section}]\n", "/bin/true").ok


@pytest.mark.parametrize("text", ['[seccomp]\nprofile = "none"', '[network]\nmode = "none"'])
def test_a_spec_that_says_none_asks_for_nothing(caller, text):
    caller.run(text, "/bin/true").ok
