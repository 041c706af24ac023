# hold.py NUMBER=PATH… -- COMMAND…: runs COMMAND with these descriptors open; "socket" stands for one of a pair.
# In a process of its own, because pytest has low numbers in use.
import os, resource, socket, sys

split = sys.argv.index("--")
wanted = dict(word.split("=", 1) for word in sys.argv[1:split])
pair = socket.socketpair()
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
for number, source in wanted.items():
    first = pair[0].fileno() if source == "socket" else os.open(source, os.O_RDONLY)
    if int(number) >= hard:
        continue
    os.dup2(first, int(number), inheritable=True)
    if source != "socket" and first != int(number):
        os.close(first)
os.execvp(sys.argv[split + 1], sys.argv[split + 1 :])
