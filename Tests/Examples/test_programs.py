"""Real programs, as Debian ships them, each at its real work under the default filter with nothing added."""

import shutil
import textwrap
import time

import pytest

from harness.patience import patient
from test_shell import Typist


@pytest.fixture
def jail(caller, work):
    """Runs a script in the default jail with nothing but a directory to write to; `strict` under that profile."""
    root = caller.place / "specs"
    root.mkdir(exist_ok=True)

    def run(script, *needed, profile="default", timeout=180, files={}):
        for name in needed:
            if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
                from conftest import cannot

                cannot(f"run {name}: it is not installed")
        spec = root / f"{work.name}.toml"
        spec.write_text(f'cwd = "/w"\n[filesystem]\nrw = ["{work}:/w"]\ntmp = "1G"\n[seccomp]\nprofile = "{profile}"\n')
        for name, text in files.items():
            caller.file(work / name, textwrap.dedent(text))
        head = "set -eu; export HOME=/tmp; grep -q 'Seccomp:.2' /proc/self/status; grep -q 'NoNewPrivs:.1' /proc/self/status\n"
        return caller.jail(spec, "bash", "-c", head + textwrap.dedent(script), cwd=work, timeout=timeout).stdout

    return run


C = r"""
    #include <pthread.h>
    #include <stdio.h>
    #include <sys/wait.h>
    #include <unistd.h>
    static void *work(void *n) { *(int *)n *= 2; return 0; }
    int main(void) {
        int n = 20;
        pthread_t thread;
        pthread_create(&thread, 0, work, &n);
        pthread_join(thread, 0);
        pid_t child = fork();
        if (!child) _exit(2);
        int status;
        waitpid(child, &status, 0);
        printf("%d\n", n + WEXITSTATUS(status));
    }
"""


def test_gcc_and_make(jail):
    files = {"main.c": C, "Makefile": "answer: main.o\n\tgcc -pthread -o $@ $<\nmain.o: main.c\n\tgcc -O2 -g -c $<\n"}
    assert jail("make -s -j2; ./answer", "gcc", "make", files=files) == "42\n"


def test_git(jail):
    script = """
        export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
        git init -q -b main repo; cd repo
        seq 1000 >numbers; git add numbers; git commit -qm first
        seq 2000 >numbers; git commit -qam second
        git gc -q; git clone -q --no-local . ../copy; cd ../copy; git fsck --strict 2>/dev/null; git log --format=%s
    """
    assert jail(script, "git") == "second\nfirst\n"


PYTHON = """
    import asyncio, concurrent.futures, multiprocessing, os, signal, socket, sqlite3, subprocess, tempfile, threading

    def square(n):
        return n * n

    async def talk():
        async def answer(reader, writer):
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\\n")
        line = await reader.readline()
        child = await asyncio.create_subprocess_exec("echo", "child", stdout=subprocess.PIPE)
        return line + (await child.communicate())[0]

    if __name__ == "__main__":
        for kind in ("fork", "spawn"):
            with multiprocessing.get_context(kind).Pool(2) as pool:
                print(sum(pool.map(square, range(100))))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            print(sum(pool.map(square, range(100))))
        print(asyncio.run(talk()))
        print(subprocess.run(["sh", "-c", "exit 3"]).returncode)
        base = sqlite3.connect(tempfile.mkdtemp() + "/x.db")
        base.execute("create table t (x)"); base.execute("insert into t values (7)"); base.commit()
        print(base.execute("select x from t").fetchone())
"""


def test_python(jail):
    out = jail("python3 main.py", "python3", files={"main.py": PYTHON})
    assert out == "328350\n328350\n328350\nb'HELLO\\nchild\\n'\n3\n(7,)\n"


NODE = """
    const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
    const fs = require("fs"), http = require("http"), { execFileSync } = require("child_process");
    if (!isMainThread) {
        parentPort.postMessage(workerData * 2);
    } else {
        const work = n => new Promise((done, failed) => {
            const worker = new Worker(__filename, { workerData: n });
            worker.on("message", done); worker.on("error", failed);
        });
        (async () => {
            console.log((await Promise.all([1, 2, 3].map(work))).join(" "));
            await fs.promises.writeFile("/tmp/x", "text");
            console.log(await fs.promises.readFile("/tmp/x", "utf8"), execFileSync("echo", ["child"]).toString().trim());
            const server = http.createServer((_, answer) => answer.end("page")).listen(0, "127.0.0.1", () => {
                http.get({ host: "127.0.0.1", port: server.address().port, agent: false }, answer => {
                    answer.on("data", data => console.log(String(data)));
                    answer.on("end", () => server.close());
                });
            });
        })();
    }
"""


def test_node(jail):
    assert jail("node main.js", "node", files={"main.js": NODE}) == "2 4 6\ntext child\npage\n"


JAVA = """
    import java.nio.file.*;
    import java.util.*;
    import java.util.concurrent.*;

    public class Main {
        public static void main(String[] words) throws Exception {
            ExecutorService pool = Executors.newFixedThreadPool(4);
            List<Future<Integer>> parts = new ArrayList<>();
            for (int i = 0; i < 100; i++) { int n = i; parts.add(pool.submit(() -> n * n)); }
            int sum = 0;
            for (Future<Integer> part : parts) sum += part.get();
            pool.shutdown();
            System.out.println(sum);
            Files.writeString(Path.of("/tmp/x"), "text");
            Process child = new ProcessBuilder("cat", "/tmp/x").start();
            System.out.println(new String(child.getInputStream().readAllBytes()));
        }
    }
"""


def test_java(jail):
    script = "javac -J-Xmx256m -d /tmp/out Main.java; java -Xmx128m -cp /tmp/out Main"
    assert jail(script, "javac", "java", files={"Main.java": JAVA}) == "328350\ntext\n"


def test_nginx(jail):
    conf = """
        worker_processes 2; pid /tmp/nginx.pid; error_log /tmp/error.log;
        events {}
        http {
            access_log off; sendfile on; aio threads; client_body_temp_path /tmp/a; proxy_temp_path /tmp/b;
            fastcgi_temp_path /tmp/c; uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e;
            server { listen 127.0.0.1:8080; root /w/www; }
        }
    """
    script = """
        mkdir www; echo page >www/index.html
        nginx -c /w/nginx.conf
        for turn in $(seq 50); do curl -s http://127.0.0.1:8080/ && break; sleep 0.1; done
        nginx -c /w/nginx.conf -s reload; sleep 0.3; curl -s http://127.0.0.1:8080/
        nginx -c /w/nginx.conf -s quit
    """
    assert jail(script, "nginx", "curl", files={"nginx.conf": conf}) == "page\npage\n"


def test_redis(jail):
    script = """
        redis-server --bind 127.0.0.1 --dir /w --daemonize yes --save 1 1 --appendonly yes >/dev/null
        for turn in $(seq 100); do redis-cli ping 2>/dev/null | grep -q PONG && break; sleep 0.05; done
        redis-cli set where jail; redis-cli bgsave >/dev/null; redis-cli get where; redis-cli shutdown
    """
    assert jail(script, "redis-server", "redis-cli") == "OK\njail\n"


def test_postgresql(jail):
    script = """
        bin=$(echo /usr/lib/postgresql/*/bin); bin=${bin##* }
        $bin/initdb -D /w/data -A trust -U me --no-sync >/dev/null
        $bin/pg_ctl -D /w/data -w -l /w/log -o "-k /tmp -c listen_addresses=127.0.0.1 -c fsync=on" start >/dev/null
        psql() { /usr/bin/psql -h 127.0.0.1 -U me -qtA postgres "$@"; }
        psql -c "create table t as select n, n * n as square from generate_series(1, 20000) n"
        psql -c "create index on t (square)" -c "vacuum analyze t" -c "set max_parallel_workers_per_gather = 2" \\
            -c "set parallel_setup_cost = 0" -c "set min_parallel_table_scan_size = 0" -c "select count(*), sum(square) from t"
        $bin/pg_ctl -D /w/data -m fast stop >/dev/null
    """
    assert jail(script, "psql") == "20000|2666866670000\n"


GO = """
    package main

    import ("fmt"; "net"; "os/exec"; "sync")

    func main() {
        var group sync.WaitGroup
        sums := make(chan int, 1000)
        for i := 0; i < 1000; i++ {
            group.Add(1)
            go func(n int) { defer group.Done(); sums <- n }(i)
        }
        group.Wait()
        close(sums)
        sum := 0
        for n := range sums { sum += n }
        listener, _ := net.Listen("tcp", "127.0.0.1:0")
        go func() { peer, _ := listener.Accept(); peer.Write([]byte("hello")); peer.Close() }()
        peer, _ := net.Dial("tcp", listener.Addr().String())
        text := make([]byte, 5)
        peer.Read(text)
        child, _ := exec.Command("echo", "child").Output()
        fmt.Println(sum, string(text), string(child[:5]))
    }
"""


def test_go(jail):
    script = "export GOCACHE=/tmp/cache GOPATH=/tmp/go GOFLAGS=-mod=mod; CGO_ENABLED=0 go build -o /w/main main.go; ./main"
    assert jail(script, "go", files={"main.go": GO}) == "499500 hello child\n"


RUST = """
    use std::{process::Command, sync::mpsc, thread};

    fn main() {
        let (sender, receiver) = mpsc::channel();
        for n in 0..100u32 {
            let sender = sender.clone();
            thread::spawn(move || sender.send(n * n).unwrap());
        }
        drop(sender);
        let child = Command::new("echo").arg("child").output().unwrap();
        println!("{} {}", receiver.iter().sum::<u32>(), String::from_utf8_lossy(&child.stdout).trim());
    }
"""


def test_rust(jail):
    assert jail("rustc -O -o main main.rs; ./main", "rustc", "gcc", files={"main.rs": RUST}) == "328350 child\n"


def test_bash_with_job_control(caller, work):
    """A job is stopped by Ctrl-Z and goes on by fg and bg, on the jail's own terminal."""
    typist = Typist(caller, "immure", "run", caller.spec("shell.toml"), cwd=work)
    try:
        typist.wait("jail:/here$ ")
        typist.type("sh -c 'echo up; read line; echo got $line'\r")
        typist.wait("\r\nup\r\n")
        typist.type("\x1a")
        assert "Stopped" in typist.wait("jail:/here$ ")
        typist.type("jobs -s | wc -l; fg\r")
        typist.wait("\r\n1\r\n")
        time.sleep(0.2)
        typist.type("a line\r")
        typist.wait("\r\ngot a line\r\n")
        typist.type("sleep 60\r")
        typist.runs("sleep 60")
        typist.type("\x1a")
        typist.wait("Stopped")
        typist.type("bg; kill %1; wait; echo status $?\r")
        typist.wait("status ")
        typist.type("exit 3\r")
        assert typist.process.wait(timeout=patient(10)) == 3
    finally:
        typist.close()


def test_strict_runs_what_computes(jail):
    """Compilers, archivers, pictures, databases in a file, a static program; and no socket."""
    script = r"""
        gcc -O1 -static -pthread -o answer main.c; ./answer
        seq 100000 | xz -T2 | xz -d | tail -1
        tar cf - main.c | gzip | tar tzf -
        convert -size 64x64 gradient: /tmp/a.png; convert /tmp/a.png -resize 16x16 /tmp/b.jpg; identify -format '%wx%h\n' /tmp/b.jpg
        awk 'BEGIN { print 6 * 7 }'; echo '{"a": 1}' | python3 -m json.tool --compact
        python3 -c 'import socket
        try: socket.socket()
        except PermissionError: print("no socket")'
    """
    files = {"main.c": C}
    found = jail(textwrap.dedent(script), "gcc", "xz", "convert", "python3", profile="strict", files=files)
    assert found == '42\n100000\nmain.c\n16x16\n42\n{"a":1}\nno socket\n'
