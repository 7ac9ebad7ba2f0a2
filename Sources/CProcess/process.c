#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void fathom_end_with_parent(void) {
    // It can fail for an invalid signal only, and end of file on our input is the second guard.
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void fathom_adopt_orphans(void) {
    // Without it, what outlives its parent is the init process's; then only children are ended.
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
}

// Landlock, see landlock(7). Written out because the headers of older systems lack it; its numbers
// are the same on all processors.
enum { create_ruleset = 444, add_rule = 445, restrict_self = 446 };
enum { ruleset_version = 1, rule_path_beneath = 1 };
static const uint64_t write_file = 1 << 1;
// Removing and making files of every kind.
static const uint64_t change_folder = 0x1ff << 4;
static const uint64_t refer = 1 << 13;         // Since version 2.
static const uint64_t truncate_file = 1 << 14; // Since version 3.

struct ruleset {
    uint64_t handled;
};

struct path_beneath {
    uint64_t allowed;
    int32_t folder;
} __attribute__((packed));

static long landlock_version(void) {
    return syscall(create_ruleset, NULL, 0, ruleset_version);
}

int fathom_can_limit_writes(void) { return landlock_version() > 0; }

static void allow(int rules, const char *path, uint64_t allowed) {
    const int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    // A folder that is not there needs no rule.
    if (folder < 0) return;
    const struct path_beneath rule = {allowed, folder};
    (void)syscall(add_rule, rules, rule_path_beneath, &rule, 0);
    close(folder);
}

/// Rules that allow writing within some folders and to devices; -1: the kernel has none, or refused.
static int make_rules(char *const folders[]) {
    const long version = landlock_version();
    if (version < 1) return -1;
    const uint64_t all = write_file | change_folder | (version >= 2 ? refer : 0)
                         | (version >= 3 ? truncate_file : 0);
    const struct ruleset handled = {all};
    const int rules = (int)syscall(create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0) return -1;
    for (char *const *folder = folders; *folder; folder++) allow(rules, *folder, all);
    // GPUs, and what libraries share memory by and name their threads in.
    allow(rules, "/dev/shm", all);
    allow(rules, "/dev", all & (write_file | truncate_file));
    allow(rules, "/proc", all & write_file);
    return rules;
}

/// Bounds what a process may take; a bound that is lower already stays.
static int limit(int resource, long long value) {
    struct rlimit now;
    if (value < 0) return 0;
    if (getrlimit(resource, &now) != 0) return -1;
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max <= (rlim_t)value) return 0;
    const struct rlimit both = {(rlim_t)value, (rlim_t)value};
    return setrlimit(resource, &both);
}

int fathom_spawn_limited(
    char *const words[], char *const folders[], long long file_bytes, long long data_bytes) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return -1;
    const int rules = folders ? make_rules(folders) : -1;
    const pid_t child = fork();
    if (child == 0) {
        fathom_end_with_parent();
        if (limit(RLIMIT_CORE, 0) == 0 && limit(RLIMIT_FSIZE, file_bytes) == 0
            && limit(RLIMIT_DATA, data_bytes) == 0
            && (rules < 0
                || (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                    && syscall(restrict_self, rules, 0) == 0)))
            execv(words[0], words);
        const int reason = errno;
        (void)!write(report[1], &reason, sizeof reason);
        _exit(127);
    }
    int reason = child < 0 ? errno : 0;
    if (rules >= 0) close(rules);
    close(report[1]);
    // Ends without a word once the program has been started.
    ssize_t got = 0;
    do {
        got = read(report[0], &reason, sizeof reason);
    } while (got < 0 && errno == EINTR);
    close(report[0]);
    errno = reason;
    return reason == 0 ? child : -1;
}
