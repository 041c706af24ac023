# hold.py NUMBER=PATH… -- COMMAND…: runs COMMAND with these descriptors open; "socket" stands for one of a pair.
# In a process of its own, because pytest has low numbers in use.
import os, socket, sys

split = sys.argv.index("--")
wanted = dict(word.split("=", 1) for word in sys.argv[1:split])
pair = socket.socketpair()
for number, source in wanted.items():
    first = pair[0].fileno() if source == "socket" else os.open(source, os.O_RDONLY)
    os.dup2(first, int(number), inheritable=True)
    if source != "socket" and first != int(number):
        os.close(first)
os.execvp(sys.argv[split + 1], sys.argv[split + 1 :])
