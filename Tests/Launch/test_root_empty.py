"""root = "empty": nothing but what the spec mounts."""

EMPTY = '[filesystem]\nroot = "empty"\n'


def test_a_static_program_runs(caller, compiled):
    run = caller.run(EMPTY + f'ro = ["{compiled("hello")}:/hello"]', "/hello", "9")
    assert (run.status, run.stdout, run.stderr) == (9, "hello\n", "")


def test_it_runs_without_proc_dev_and_tmp(caller, compiled):
    spec = EMPTY + f'ro = ["{compiled("hello")}:/hello"]\nproc = false\ndev = "none"\ntmp = false'
    run = caller.run(spec, "/hello")
    assert (run.status, run.stdout, run.stderr) == (0, "hello\n", "")


def test_nothing_is_there_but_what_was_asked_for(caller):
    run = caller.facts(EMPTY + 'ro = ["/usr", "/lib", "/lib64"]')
    assert set(run["root"]) <= {"usr", "lib", "lib64", "proc", "dev", "tmp"}
    assert "etc" not in run["root"]


def test_a_bind_of_a_symlink_is_of_what_it_points_to(caller):
    run = caller.run(EMPTY + 'ro = ["/usr", "/lib", "/lib64", "/bin"]', "/bin/sh", "-c", "echo /*")
    assert run.ok.stdout.split() == ["/bin", "/dev", "/lib", "/lib64", "/proc", "/tmp", "/usr"]


def test_the_root_is_read_only(caller):
    run = caller.run(EMPTY + 'ro = ["/usr", "/lib", "/lib64"]', "/usr/bin/touch", "/x")
    assert run.status == 1 and "Read-only" in run.stderr


def test_nothing_to_run_gives_127(caller):
    run = caller.run(EMPTY, "/bin/sh", "-c", "true")
    assert run.status == 127 and "/bin/sh" in run.stderr


def test_a_user_without_a_passwd_is_still_the_caller(caller):
    run = caller.run(EMPTY + 'ro = ["/usr", "/lib", "/lib64"]', "/usr/bin/id", "-u")
    assert run.ok.stdout.strip() == str(caller.inside_uid)
