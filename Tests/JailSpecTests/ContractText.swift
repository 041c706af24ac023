/// The spec of the contract, every key of it; each type of mount has an entry with its own keys.
let contractText = #"""
    command  = ["make", "-j4"]      # argv; replaced by what follows `--` on the command line
    cwd      = "/src"               # inside the jail; default "/"
    hostname = "jail"
    timeout  = "10min"              # wall clock: SIGTERM, then SIGKILL after `grace` (default "5s"); exit status 124

    [filesystem]
    root  = "system"   # "system": a private root with the host's /usr (bin, sbin, lib* as on the host) and /etc, read-only
                       # "host": the host's whole tree, read-only · "empty": nothing · "/srv/tree": that directory becomes /
                       # default: "system"; a directory root is read-only too unless `writable = true`
    ro    = ["/opt/sdk", "/srv/data:/data"]     # bind, read-only, recursive: "source" or "source:target"
    rw    = ["~/.cache/ccache"]                 # bind, read-write
    hide  = ["/etc/ssh"]                        # made unreachable, file or directory
    # /proc (own pid namespace), a minimal /dev with its own devpts and shm, and a private /tmp are there by default:
    proc = true                     # false: none · a jail that shares the host's pid namespace gets it with hidepid
    dev  = "minimal"                # "none" | "minimal" | "host"
    tmp  = "2G"                     # size of the private tmpfs on /tmp; false: none
    home = "2G"                     # likewise on the command's home directory
    shm  = "2G"                     # likewise on /dev/shm

    [[mount]]
    target   = "/cache"
    type     = "bind"
    source   = "/var/cache/x"
    options  = ["ro", "nosuid", "nodev", "noexec"]
    optional = false
    create   = true
    mode     = "0750"
    quota    = "2G"
    idmap    = true
    [[mount]]
    target   = "/scratch"
    type     = "tmpfs"
    size     = "256M"
    inodes   = 10000
    mode     = "1777"
    [[mount]]
    target   = "/etc/motd"
    type     = "file"
    content  = "text\n"
    [[mount]]
    target   = "/bin"
    type     = "symlink"
    to       = "usr/bin"
    [[mount]]
    target   = "/work"
    type     = "overlay"
    lower    = ["."]
    upper    = "changes"
    work     = "changes.work"

    [namespaces]                    # user mount pid net ipc uts cgroup time: "new" (default) | "host" | "/path/to/ns/file"
    user = "new"                    # (time is "new" only where an offset asks for it)
    pid  = "new"
    nested = false                  # true: the command may make namespaces of its own, so that jails nest
    [namespaces.time]
    monotonic = "-1h"
    boottime  = "0s"

    [identity]
    user    = "nobody"              # name or number inside the jail; default: the caller's own, or nobody where the
    group   = "nogroup"             # caller is uid 0: the host's uid 0 is never used unless the spec says so
    groups  = []                    # an ordinary user cannot drop the caller's: refused where written, else reported
    umask   = "022"
    uid_map = [{ inside = 0, outside = 1000, count = 1 }]     # or "auto": the caller's ranges in /etc/subuid
    gid_map = "auto"

    [capabilities]                  # default: every set empty
    keep        = ["net_bind_service"]   # bounding + permitted + effective (+ ambient where the target is not uid 0)
    bounding    = []                     # or each of the five sets by itself:
    ambient     = []                     # bounding permitted effective inheritable ambient

    [process]
    no_new_privs    = true
    init            = true          # a reaper is pid 1 and the command its child; false: the command is pid 1
    die_with_parent = true
    tty             = "auto"        # "auto": a pty of the jail's own when standard input is a terminal | "inherit" | "none"
    fds             = [3]           # passed on; every other descriptor above 2 is closed
    nice            = 0
    oom_score_adj   = 0
    cpus            = "0-3"         # affinity
    keyring         = "new"

    [environment]                   # starts empty but for PATH, HOME, USER, LOGNAME, SHELL, TERM, LANG=C.UTF-8 set for the jail
    defaults = true                 # (false: empty)
    keep = ["LANG", "LC_*"]
    unset = ["LC_ALL"]              # taken out of what keep lets through
    path = ["/opt/sdk/usr/bin"]     # goes before PATH
    set  = { CC = "gcc" }

    [rlimits]                       # lower-case kernel names, all sixteen; what is not named is inherited
    nofile = "1024:4096"
    core   = 0

    [limits]                        # cgroup v2
    memory     = "512M"
    memory_high = "400M"
    swap       = 0
    cpu        = "150%"
    cpu_weight = 100
    cpus       = "0-1"
    pids       = 64
    io_weight  = 50
    [[limits.io]]
    device = "/var"                 # a block device, or a path on it
    rbps   = "10M"                  # also wbps riops wiops weight

    [seccomp]
    profile = "default"             # "default" | "strict" | "none"
    default = "EPERM"               # action for what no list names: an errno | "allow" | "kill" | "log" | "trap"
    allow   = ["@system-service"]   # names and systemd's @groups
    deny    = ["ptrace", "@mount"]
    log     = []
    kill    = []
    [[seccomp.rule]]
    call   = "socket"
    action = "allow"
    args   = [{ index = 0, op = "==", value = "AF_UNIX" }]

    [landlock]
    ro  = ["/usr/share"]            # also rx rw rwx
    bind_tcp    = [8080]
    connect_tcp = [443]
    scope       = ["signal", "abstract_unix_socket"]
    minimum_abi = 4                 # default: what the keys used here need

    [network]
    mode    = "user"                # "none": own namespace, loopback up | "host" | "user" (pasta) | "veth" | "macvlan" | "ipvlan"
    publish = ["127.0.0.1:8080:80/tcp"]
    allow   = ["10.0.0.0/8:443/tcp", "deb.example.org:443", "*.example.org:443"]
    dns     = ["10.0.0.53"]
    """#
