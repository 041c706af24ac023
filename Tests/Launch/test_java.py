"""What a JVM asks of a jail: a charset for the names and texts of sources, and an address of its own name (C108, C113)."""

import os
import shutil

import pytest

from harness.must import cannot
from harness.tree import rooted, tree

SOURCE = """public class Grüße {
    public static void main(String[] words) throws Exception {
        String größe = "größe";
        System.out.println(größe + " " + größe.length() + " " + java.net.InetAddress.getLocalHost());
    }
}
"""
BUILD = "cd /tmp && javac -d . /src/Grüße.java && java -cp . Grüße"


@pytest.fixture
def source(caller):
    for name in ("javac", "java"):
        if not shutil.which(name):
            cannot(f"{name} is not installed: apt install openjdk-17-jdk-headless")
    place = caller.directory()
    caller.file(place / "Grüße.java", SOURCE)
    return place


@pytest.mark.parametrize("locale", [None, "C", "de_DE.ISO-8859-1"])
def test_c113_a_source_with_umlauts_is_compiled_and_run(caller, source, locale):
    """Whatever the caller's locale is: by the jail's own, in the name of the file, of the class, and in the text."""
    spec = f'hostname = "build"\n[filesystem]\nro = ["{source}:/src"]\n'
    run = caller.shell(spec, BUILD, env={"LANG": locale, "LC_ALL": locale}, timeout=60)
    assert run.ok.stdout == "größe 5 build/127.0.1.1\n", run


def test_c113_it_is_the_locale_that_does_it(caller, source):
    spec = f'environment.set.LANG = "C"\n[filesystem]\nro = ["{source}:/src"]\n'
    run = caller.shell(spec, BUILD, timeout=60)
    assert run.status != 0 and "Invalid filename" in run.stderr, run


@pytest.mark.parametrize("hosts", ["there", "absent"])
def test_c108_a_tree_has_an_address_for_the_jails_name(caller, source, hosts):
    place = tree(caller, "src")
    if hosts == "there":
        caller.file(place / "etc/hosts", "127.0.0.1 localhost\n")
    # The programs are links through /etc/alternatives, the settings links from /usr/lib/jvm into /etc.
    programs = os.path.dirname(os.path.realpath(shutil.which("javac")))
    shown = [f"{source}:/src", *(f"/etc/{name}" for name in os.listdir("/etc") if name.startswith("java-"))]
    lines = "".join(f'[[mount]]\ntarget = "{each.split(":")[-1]}"\nsource = "{each.split(":")[0]}"\n' for each in shown)
    spec = f'hostname = "build.jail"\nenvironment.path = ["{programs}"]\n' + rooted(place, mounts=lines)
    run = caller.shell(spec, BUILD, timeout=60)
    assert run.ok.stdout == "größe 5 build.jail/127.0.1.1\n", run
