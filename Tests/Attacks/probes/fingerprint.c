/*
 * Prints the confinement of its own process as the kernel tells it: what a fault of the launch could have weakened. Says
 * nothing and ends with 98 outside of a jail, where argv[1] is the mount namespace of the host. argv[2…] are extra words.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *kinds[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"};

static void link_of(const char *path) {
    char text[4096];
    ssize_t size = readlink(path, text, sizeof text - 1);
    if (size < 0) size = 0;
    text[size] = 0;
    printf("%s %s\n", path, text);
}

static void lines_of(const char *path, const char *const *keys) {
    char line[8192];
    FILE *file = fopen(path, "re");
    if (!file) {
        printf("%s missing\n", path);
        return;
    }
    while (fgets(line, sizeof line, file)) {
        int shown = !keys;
        for (int i = 0; keys && keys[i]; i++)
            if (strncmp(line, keys[i], strlen(keys[i])) == 0) shown = 1;
        if (shown) printf("%s: %s", path, line);
    }
    fclose(file);
}

int main(int argc, char **argv) {
    char link[128] = "";
    if (readlink("/proc/self/ns/mnt", link, sizeof link - 1) < 0 || argc < 2 || strcmp(link, argv[1]) == 0) return 98;
    static const char *const keys[] = {"Uid:", "Gid:", "Groups:", "NStgid", "Cap", "NoNewPrivs:", "Seccomp", "SigBlk", "SigIgn", "SigCgt", "Umask:", 0};
    puts("begin");
    lines_of("/proc/self/status", keys);
    lines_of("/proc/self/mountinfo", 0);
    lines_of("/proc/self/uid_map", 0);
    lines_of("/proc/self/gid_map", 0);
    lines_of("/proc/self/setgroups", 0);
    lines_of("/proc/self/oom_score_adj", 0);
    lines_of("/proc/self/limits", 0);
    lines_of("/proc/self/cgroup", 0);
    lines_of("/proc/sys/user/max_user_namespaces", 0);
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
        link_of(path);
    }
    link_of("/proc/self/cwd");
    link_of("/proc/self/root");
    for (int fd = 0; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0) printf("fd %d\n", fd);
    printf("personality %x securebits %d dumpable %d timerslack %d subreaper-free\n", personality(0xffffffff),
           prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
    char host[128] = "";
    gethostname(host, sizeof host - 1);
    printf("session leader of another %d, host name %s, nice %d\n", getsid(0) != getpid(), host, getpriority(PRIO_PROCESS, 0));
    int signal = 0;
    prctl(PR_GET_PDEATHSIG, &signal);
    struct ifreq request = {.ifr_name = "lo"};
    int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe >= 0 && ioctl(probe, SIOCGIFFLAGS, &request) == 0) printf("lo %s\n", request.ifr_flags & IFF_UP ? "up" : "down");
    char key[256] = "";
    if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, key, sizeof key - 1) > 0) printf("keyring %s\n", key);
    struct dirent *entry;
    DIR *top = opendir("/");
    while (top && (entry = readdir(top))) printf("root %s\n", entry->d_name);
    // What a directory with a limit has room for is the limit.
    struct statfs room;
    if (statfs("/limited", &room) == 0)
        printf("limited to %llu bytes, %llu files\n", (unsigned long long)room.f_blocks * room.f_bsize,
               (unsigned long long)room.f_files);
    int made = open("/tmp/fingerprint", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    printf("a file in /tmp %s\n", made >= 0 ? "made" : "refused");
    extern char **environ;
    for (char **variable = environ; *variable; variable++) printf("environ %s\n", *variable);
    puts("end");
    return 7;
}
