"""Hints about what is written, and how each is followed: template, the spec before and after, and the words of the printed hint
that the spec after has and the one before has not (empty: the hint asks for less). A spec with a seccomp profile is a pair: the
text of the spec, which names profile.json, and what stands in that."""

import json

BIND = '[[mount]]\nsource = "/usr"\ntarget = "/x"\n'

RULE = '[[seccomp.rule]]\ncall = "socket"\naction = "allow"\n'


def profile(*entries, **more):
    """A spec with the profile of a container engine."""
    return '[seccomp]\nprofile = "./profile.json"', json.dumps({"defaultAction": "SCMP_ACT_ALLOW", **more, "syscalls": list(entries)})


def calls(**more):
    return {"names": ["mincore"], "action": "SCMP_ACT_ERRNO", **more}


def compared(value):
    return {"index": 2, "value": value, "op": "SCMP_CMP_EQ"}


CASES = [
    ("did you mean {}?", 'hostnam = "a"', 'hostname = "a"', "hostname"),
    ("did you mean {}?", '[process]\ntimeout = "9s"', 'timeout = "9s"', ""),
    ("did you mean {}?", 'memory = "64M"', '[limits]\nmemory = "64M"', "[limits]"),
    ("did you mean {}?", '[capabilities]\nkeep = ["net_bind_servic"]', '[capabilities]\nkeep = ["net_bind_service"]', "net_bind_service"),
    ("did you mean {}?", '[process]\ntty = "aut"', '[process]\ntty = "auto"', "auto"),
    ("did you mean {}?", '[seccomp]\nallow = ["opena"]', '[seccomp]\nallow = ["openat"]', "open"),
    ("did you mean {}?", '[seccomp]\nallow = ["@system-servic"]', '[seccomp]\nallow = ["@system-service"]', "@system-service"),
    ("did you mean {}?", '[[seccomp.rule]]\ncall = "socket"\naction = "allow"\nargs = [{ index = 0, op = "==", value = "AF_UNI" }]',
     '[[seccomp.rule]]\ncall = "socket"\naction = "allow"\nargs = [{ index = 0, op = "==", value = "AF_UNIX" }]', "AF_UNIX"),
    ('paths of the jail begin with /; below the current directory: "${PWD}{}"', 'cwd = "src"', 'cwd = "${PWD}/src"', '"${PWD}/src"'),
    ('paths of the jail begin with /; below the current directory: "${PWD}{}"', '[filesystem]\nhide = ["./src"]', '[filesystem]\nhide = ["${PWD}/src"]', '"${PWD}/src"'),
    ("one of {}", '[network]\nmode = "zzzzzz"', '[network]\nmode = "host"', '"host"'),
    ('write {} = ["sh", "-c", "…"]', 'command = "ls"', 'command = ["sh", "-c", "ls"]', '["sh", "-c"'),
    ('write [[{}]]', '[mount]\ntype = "tmpfs"\ntarget = "/x"', '[[mount]]\ntype = "tmpfs"\ntarget = "/x"', "[[mount]]"),
    ('a whole number with K, M, G or T (powers of 1024), or KB, MB, GB or TB (powers of 1000)',
     '[filesystem]\ntmp = "64X"', '[filesystem]\ntmp = "64M"', "M"),
    ("leave it out for a quarter of the machine's memory", '[filesystem]\ntmp = true', '[filesystem]\n', ""),
    ('leave it out, or mount a tmpfs on /dev/shm', '[filesystem]\ndev = "none"\nshm = "1M"',
     '[filesystem]\ndev = "none"\n[[mount]]\ntype = "tmpfs"\ntarget = "/dev/shm"\nsize = "1M"', ""),
    ('write "10min"', 'timeout = true', 'timeout = "10min"', '"10min"'),
    ('write "{}s" for seconds', 'timeout = 90', 'timeout = "90s"', '"90s"'),
    ('write "{}s" for seconds', 'timeout = "90"', 'timeout = "90s"', '"90s"'),
    ('a whole number with ms, s, min or h', 'timeout = "5 days"', 'timeout = "120h"', "h"),
    ('write "150%" for one and a half', '[limits]\ncpu = 2', '[limits]\ncpu = "150%"', '"150%"'),
    ('write "0755"', '[[mount]]\ntarget = "/x"\ntype = "dir"\nmode = 755', '[[mount]]\ntarget = "/x"\ntype = "dir"\nmode = "0755"', '"0755"'),
    ('write "022"', '[identity]\numask = 22', '[identity]\numask = "022"', '"022"'),
    ('write "0-3,6"', '[process]\ncpus = "a"', '[process]\ncpus = "0-3,6"', '"0-3,6"'),
    ('write "unlimited" for no limit', '[rlimits]\nnofile = -1', '[rlimits]\nnofile = "unlimited"', '"unlimited"'),
    ('a whole number or "unlimited"', '[rlimits]\nnofile = "many"', '[rlimits]\nnofile = "unlimited"', '"unlimited"'),
    ('put it in quotes', '[environment]\nset = { A = 1 }', '[environment]\nset = { A = "1" }', ""),
    ('list descriptors from 3', '[process]\nfds = [2]', '[process]\nfds = [3]', "3"),
    ('write the path out', '[[mount]]\nsource = "/usr"\ntarget = "/x/../y"', '[[mount]]\nsource = "/usr"\ntarget = "/y"', ""),
    ('filesystem.root says what the root is', '[[mount]]\nsource = "/usr"\ntarget = "/"', '[filesystem]\nroot = "/usr"', ""),
    ('filesystem.root = "host" shows the whole host', '[filesystem]\nro = ["/"]', '[filesystem]\nroot = "host"', 'root = "host"'),
    ('write "host" for the host\'s whole tree', '[filesystem]\nroot = "/"', '[filesystem]\nroot = "host"', '"host"'),
    ('{}, or a directory such as "./{}"', '[filesystem]\nroot = "tree"', '[filesystem]\nroot = "./tree"', '"./tree"'),
    ('write a [[mount]] with source and target', '[filesystem]\nro = ["/usr:/x:y"]', '[[mount]]\nsource = "/usr"\ntarget = "/x:y"\noptions = ["ro"]', "[[mount]]"),
    ('write "source:target"', '[filesystem]\nro = ["../x"]', '[filesystem]\nro = ["../x:/x"]', ":"),
    ('only ${NAME} is expanded; write `$${` for a literal `${`', '[filesystem]\nro = ["/x${1}:/x"]', '[filesystem]\nro = ["/x$${1}:/x"]', "$${"),
    ('write the path out, or "./~…" for a file of that name', '[filesystem]\nro = ["~x:/x"]', '[filesystem]\nro = ["./~x:/x"]', "./~"),
    ('only a bind, which has a source, needs none', '[[mount]]\ntarget = "/x"', '[[mount]]\ntarget = "/x"\nsource = "/usr"', "source"),
    ('it belongs to {}', BIND + 'size = "1M"', '[[mount]]\ntype = "tmpfs"\ntarget = "/x"\nsize = "1M"', "tmpfs"),
    ('write [{ inside = 0, outside = 1000, count = 1 }]', '[identity]\nuid_map = 0', '[identity]\nuid_map = [{ inside = 0, outside = 1000, count = 1 }]', "outside = 1000"),
    ('"auto", or an array', '[identity]\nuid_map = "all"', '[identity]\nuid_map = "auto"', '"auto"'),
    ('an id is 0 to {}, in plain decimal', '[identity]\nuser = "07"', '[identity]\nuser = "7"', ""),
    ('add it to capabilities.{}, or use only capabilities.keep', '[capabilities]\nambient = ["chown"]', '[capabilities]\nkeep = ["chown"]', "keep"),
    ('it belongs to "user", "veth", "macvlan" and "ipvlan"', '[network]\ndns = ["10.0.0.53"]', '[network]\nmode = "user"\ndns = ["10.0.0.53"]', '"user"'),
    ("leave it out: what listens in the jail listens on the host", '[network]\nmode = "host"\npublish = ["80:80"]', '[network]\nmode = "host"', ""),
    ('it belongs to "veth", "macvlan" and "ipvlan"', '[network]\nmode = "user"\nparent = "br0"', '[network]\nmode = "veth"\nparent = "br0"\naddress = ["10.9.0.2/24"]', '"veth"'),
    ('network.parent = "eth0"', '[network]\nmode = "macvlan"\naddress = ["10.9.0.2/24"]', '[network]\nmode = "macvlan"\naddress = ["10.9.0.2/24"]\nparent = "eth0"', 'parent = "eth0"'),
    ('network.address = ["10.9.0.2/24"]', '[network]\nmode = "macvlan"\nparent = "eth0"', '[network]\nmode = "macvlan"\nparent = "eth0"\naddress = ["10.9.0.2/24"]', 'address = ["10.9.0.2/24"]'),
    ('write "10.9.0.2/24"', '[network]\nmode = "veth"\naddress = ["10.9.0.2"]', '[network]\nmode = "veth"\naddress = ["10.9.0.2/24"]', '"10.9.0.2/24"'),
    ('write the host\'s port and the jail\'s: "{}:{}"', '[network]\nmode = "user"\npublish = ["8080"]', '[network]\nmode = "user"\npublish = ["8080:8080"]', '"8080:8080"'),
    ('write an entry for each port', '[network]\nmode = "user"\npublish = ["8080-8081:80-81"]', '[network]\nmode = "user"\npublish = ["8080:80", "8081:81"]', ""),
    ('a port is a number from 1 to 65535, and which is free is not asked', '[network]\nmode = "user"\npublish = ["0:80"]', '[network]\nmode = "user"\npublish = ["8080:80"]', ""),
    ('write an address, or leave it out for 127.0.0.1', '[network]\nmode = "user"\npublish = ["localhost:8080:80"]', '[network]\nmode = "user"\npublish = ["8080:80", "127.0.0.2:8080:80"]', ""),
    ('write it as IPv4 does: "{}:{}:{}/{}"', '[network]\nmode = "user"\npublish = ["[::ffff:127.0.0.1]:8080:80"]', '[network]\nmode = "user"\npublish = ["127.0.0.1:8080:80/tcp"]', '"127.0.0.1:8080:80/tcp"'),
    ('write an address that this host alone has, or 0.0.0.0 or [::] for all of them', '[network]\nmode = "user"\npublish = ["224.0.0.1:8080:80"]', '[network]\nmode = "user"\npublish = ["0.0.0.0:8080:80", "[::]:8080:80"]', "[::]"),
    ('write "127.0.0.1:8080:80/tcp"', '[network]\nmode = "user"\npublish = ["x"]', '[network]\nmode = "user"\npublish = ["127.0.0.1:8080:80/tcp"]', '"127.0.0.1:8080:80/tcp"'),
    ('leave the scheme and the path out: "{}"', '[network]\nmode = "user"\nallow = ["http://pypi.org/simple/"]', '[network]\nmode = "user"\nallow = ["pypi.org:80"]', '"pypi.org:80"'),
    ('a protocol goes with a port: "{}:443{}"', '[network]\nmode = "user"\nallow = ["pypi.org/tcp"]', '[network]\nmode = "user"\nallow = ["pypi.org:443/tcp"]', '"pypi.org:443/tcp"'),
    ('leave out the dot that ends the name: "{}"', '[network]\nmode = "user"\nallow = ["pypi.org.:443"]', '[network]\nmode = "user"\nallow = ["pypi.org:443"]', '"pypi.org:443"'),
    ('leave network.allow out, which opens everything, or write "0.0.0.0/0:443" and "[::/0]:443"', '[network]\nmode = "user"\nallow = ["*:443"]', '[network]\nmode = "user"\nallow = ["0.0.0.0/0:443", "[::/0]:443"]', '"[::/0]:443"'),
    ('write "{}:{}-{}{}"', '[network]\nmode = "user"\nallow = ["10.0.0.0/8:80-70/tcp"]', '[network]\nmode = "user"\nallow = ["10.0.0.0/8:70-80/tcp"]', '"10.0.0.0/8:70-80/tcp"'),
    ('a port is a number from 1 to 65535: "{}:443{}"', '[network]\nmode = "user"\nallow = ["pypi.org:https"]', '[network]\nmode = "user"\nallow = ["pypi.org:443"]', '"pypi.org:443"'),
    ('write "[{}]:{}", or "{}/128" for every port', '[network]\nmode = "user"\nallow = ["2001:db8::1:443"]', '[network]\nmode = "user"\nallow = ["[2001:db8::1]:443", "2001:db8::1:443/128"]', ''),
    ('leave it out: no entry opens the host\'s own loopback', '[network]\nmode = "user"\nallow = ["localhost:80"]', '[network]\nmode = "user"\nallow = []', ''),
    ('write "10.0.0.0/8:443/tcp", "example.org:443" or "*.example.org:443"', '[network]\nmode = "user"\nallow = ["x:y:z"]', '[network]\nmode = "user"\nallow = ["example.org:443"]', '"example.org:443"'),
    ('give rbps, wbps, riops, wiops or weight', '[[limits.io]]\ndevice = "/dev/sda"', '[[limits.io]]\ndevice = "/dev/sda"\nrbps = "10M"', "rbps"),
    ('{}, or the path of an OCI seccomp file', '[seccomp]\nprofile = "none!"', '[seccomp]\nprofile = "none"', "none"),
    ('{}, or the path of a namespace file', '[namespaces]\nnet = "hos"', '[namespaces]\nnet = "host"', "host"),
    ('write it in hexadecimal', '[[seccomp.rule]]\ncall = "socket"\naction = "allow"\nargs = [{ index = 0, op = "==", value = -1 }]',
     '[[seccomp.rule]]\ncall = "socket"\naction = "allow"\nargs = [{ index = 0, op = "==", value = 0xffffffff }]', ""),
    ('rights add up downwards and no line takes any away: name the directories beside it instead', '[landlock]\nrw = ["/usr"]\nro = ["/usr/share"]', '[landlock]\nrw = ["/usr/lib"]\nro = ["/usr/share"]', ""),
    ('write extends = ["base.toml"]', 'extends = 1', 'extends = ["base.toml"]', '["base.toml"]'),
    ('without both, changes go to a tmpfs and are thrown away', '[[mount]]\ntype = "overlay"\ntarget = "/x"\nlower = ["/usr"]\nupper = "u"', '[[mount]]\ntype = "overlay"\ntarget = "/x"\nlower = ["/usr"]', ""),
    ('letters, digits, `-` and `.`; no part of it empty or beginning or ending with `-`', 'hostname = "-ab"', 'hostname = "a-b"', "-"),
    ('it is always {}: leave the word out', '[[mount]]\ntype = "proc"\ntarget = "/x"\noptions = ["dev"]', '[[mount]]\ntype = "proc"\ntarget = "/x"\n', ""),
    ('take the profile "default", or remove nested', '[namespaces]\nnested = true\n[seccomp]\nprofile = "strict"', '[namespaces]\nnested = true\n[seccomp]\nprofile = "default"', '"default"'),
    ('set profile = "none" to allow all that no list names', '[seccomp]\ndefault = "allow"', '[seccomp]\nprofile = "none"', 'profile = "none"'),
    ('"allow", "kill", "log", "trap", or the name of an errno', '[seccomp]\ndefault = "perhaps"\nallow = ["@system-service"]',
     '[seccomp]\ndefault = "kill"\nallow = ["@system-service"]', '"kill"'),
    ("add it to seccomp.allow", '[seccomp]\nprofile = "none"\ndefault = "EPERM"', '[seccomp]\nprofile = "none"\ndefault = "EPERM"\nallow = ["execve"]', ""),
    ("add it to seccomp.allow", '[seccomp]\ndeny = ["@default"]', '[seccomp]\ndeny = ["@default"]\nallow = ["execve"]', ""),
    ("take it out of {}", '[seccomp]\ndeny = ["execve"]', '[seccomp]\ndeny = []', ""),
    ("take it out of {}", '[seccomp]\nkill = ["execve"]', '[seccomp]\nkill = []', ""),
    ("take it out of {}", '[[seccomp.rule]]\ncall = "execve"\naction = "EPERM"', '', ""),
    ("name calls in the lists", '[[seccomp.rule]]\ncall = "read"\naction = "allow"\n' * 4097, '[seccomp]\nallow = ["read"]', ""),
    ("name it in seccomp.allow or seccomp.deny",
     '[seccomp]\narchitectures = ["x86"]\n[[seccomp.rule]]\ncall = "socketcall"\naction = "allow"\n',
     '[seccomp]\narchitectures = ["x86"]\nallow = ["socketcall"]', ""),
    ('write default = "EPERM" to allow nothing else, or remove the list', '[seccomp]\nprofile = "none"\nallow = ["@system-service"]',
     '[seccomp]\nprofile = "none"\nallow = ["@system-service"]\ndefault = "EPERM"', 'default = "EPERM"'),
    ('write default = "EPERM" to allow nothing else, or remove the list', '[seccomp]\nprofile = "none"\nallow = ["@system-service"]',
     '[seccomp]\nprofile = "none"', ""),
    ("write its number", RULE + 'args = [{ index = 0, op = "==", value = "ZZZZZZ" }]', RULE + 'args = [{ index = 0, op = "==", value = 1 }]', ""),
    ("write a rule for each: rules of one call add up",
     RULE + 'args = [{ index = 0, op = "==", value = 1 }, { index = 0, op = "==", value = 2 }]',
     RULE + 'args = [{ index = 0, op = "==", value = 1 }]\n' + RULE + 'args = [{ index = 0, op = "==", value = 2 }]', ""),
    ("SCMP_ACT_LOG tells of a call, SCMP_ACT_ERRNO refuses it", profile(calls(action="SCMP_ACT_NOTIFY")), profile(calls(action="SCMP_ACT_LOG")),
     "SCMP_ACT_LOG"),
    ("SCMP_ACT_LOG tells of a call, SCMP_ACT_ERRNO refuses it", profile(calls(action="SCMP_ACT_TRACE")), profile(calls(action="SCMP_ACT_ERRNO")),
     "SCMP_ACT_ERRNO"),
    ("write an entry for each", profile(calls(args=[compared(1), compared(2)])), profile(calls(args=[compared(1)]), calls(args=[compared(2)])), ""),
    ('such as "4.8"', profile(calls(includes={"minKernel": "4"})), profile(calls(includes={"minKernel": "4.8"})), "4.8"),
    ("remove it", profile(calls(), flags=["SECCOMP_FILTER_FLAG_LOG"]), profile(calls(), flags=[]), ""),
    ("remove it", profile(calls(), listenerPath="/run/x"), profile(calls()), ""),
]
