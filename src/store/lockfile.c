/* SPDX-License-Identifier: MIT
 * lockfile.c -- one process at a time may write to a file
 *
 * The lock is one of an open file description: it belongs to the descriptor and not to the process, so that it holds
 * against a second opening within the process as well, and no close elsewhere drops it.  It lies on a file of its own,
 * because a descriptor of the database itself, once closed, would take the locks of SQLite with it.
 *
 * Who releases removes the file under the lock.  Who took a lock therefore looks whether the file that it locked still
 * has the name; if not, somebody removed it in between, and the turn begins anew.
 */
#include "store/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4200 };

static kith_err lock_name(const char *path, char *out)
{
    const int n = snprintf(out, PATH_SIZE, "%s-lock", path);
    return n < PATH_SIZE ? KITH_OK : ki_fail(KITH_EINVAL, "the path is too long: %.64s...", path);
}

static kith_err taken(const char *path, int fd)
{
    char pid[32];
    const ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    pid[n > 0 ? n : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    return ki_fail(KITH_EIO,
                   "%s: is open already (process %s); one process at a time may write to it", path,
                   pid[0] == '\0' ? "unknown" : pid);
}

static int still_named(const char *name, int fd)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && stat(name, &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

/* One turn: *fd is -1 when the file was removed meanwhile. */
static kith_err try_once(const char *path, const char *name, int *fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    kith_err err = KITH_OK;
    const int mine = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (mine < 0)
        return ki_fail(KITH_EIO, "%s: cannot be made to lock the store: %s", name, strerror(errno));
    if (fcntl(mine, F_OFD_SETLK, &lock) != 0)
        err = errno == EAGAIN || errno == EACCES
                  ? taken(path, mine)
                  : ki_fail(KITH_EIO, "%s: cannot be locked: %s", name, strerror(errno));
    *fd = err == KITH_OK && still_named(name, mine) ? mine : -1;
    if (*fd < 0) close(mine);
    return err;
}

kith_err ki_lockfile_take(const char *path, int *fd)
{
    char name[PATH_SIZE], pid[32];
    int mine = -1;
    kith_err err = lock_name(path, name);
    while (err == KITH_OK && mine < 0) err = try_once(path, name, &mine);
    if (err != KITH_OK) return err;
    const int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(mine, 0) == 0) (void)!pwrite(mine, pid, (size_t)n, 0); /* only said in messages */
    *fd = mine;
    return KITH_OK;
}

void ki_lockfile_release(const char *path, int fd)
{
    char name[PATH_SIZE];
    if (fd < 0) return;
    if (lock_name(path, name) == KITH_OK) unlink(name);
    close(fd);
}
