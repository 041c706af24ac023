#include "linux.h"

#include <linux/dqblk_xfs.h>
#include <sys/quota.h>

/* linux/fs.h cannot stand beside sys/mount.h of glibc 2.36: its structure and its two calls are here once more. */
struct attributes {
    uint32_t flags, extent_size, extents, project, copy_extent_size;
    unsigned char spare[8];
};
#define GET_ATTRIBUTES _IOR('X', 31, struct attributes)
#define SET_ATTRIBUTES _IOW('X', 32, struct attributes)
enum { project_quota = 2, number_of_quotactl_fd = 443 };

static int control(int file, int command, uint32_t project, void *answer) {
    return (int)syscall(number_of_quotactl_fd, file, QCMD(command, project_quota), project, answer);
}

int linux_project_state(int file, int *counted, int *enforced) {
    struct fs_quota_stat state = {0};
    if (control(file, Q_XGETQSTAT, 0, &state) < 0) return -1;
    *counted = (state.qs_flags & FS_QUOTA_PDQ_ACCT) != 0;
    *enforced = (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
    return 0;
}

int linux_project_get(int file, uint32_t project, struct linux_project *found) {
    struct dqblk block = {0};
    if (control(file, Q_GETQUOTA, project, &block) < 0) return -1;
    *found = (struct linux_project){block.dqb_bhardlimit, block.dqb_ihardlimit, block.dqb_curspace, block.dqb_curinodes};
    return 0;
}

int linux_project_set(int file, uint32_t project, uint64_t kibibytes, uint64_t inodes) {
    struct dqblk block = {.dqb_bhardlimit = kibibytes, .dqb_ihardlimit = inodes, .dqb_valid = QIF_LIMITS};
    return control(file, Q_SETQUOTA, project, &block);
}

int linux_project_of(int file, uint32_t *project, uint32_t *flags) {
    struct attributes found = {0};
    if (ioctl(file, GET_ATTRIBUTES, &found) < 0) return -1;
    *project = found.project;
    *flags = found.flags;
    return 0;
}

int linux_project_join(int file, uint32_t project, int inherits) {
    enum { inherit = 0x200 };
    struct attributes wanted = {0};
    if (ioctl(file, GET_ATTRIBUTES, &wanted) < 0) return -1;
    wanted.project = project;
    wanted.flags = inherits ? wanted.flags | inherit : wanted.flags & ~(uint32_t)inherit;
    return ioctl(file, SET_ATTRIBUTES, &wanted);
}
