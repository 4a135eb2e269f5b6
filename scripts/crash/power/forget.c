/*
 * Preloaded into a process, keeps beside a folder what of it would survive a power cut: of files the bytes that were synced, of folders the
 * names that were. Nothing else counts: not the size, not that a new file is there. power.ts puts the folder back to that.
 *
 * Under MEDSEAL_POWER_SHADOW, by inode: `ino/N` synced bytes of a file that was changed, `dir/N` synced names of a folder that was changed
 * (type, inode, name, each ended by a zero byte), `held/N` a link to a file that was let go of, so that its inode is not used again.
 * While there is a file `full`, writes fail as on a full disk.
 *
 * MEDSEAL_POWER_FAIL="KIND ERRNO FIRST LAST" lets calls of a kind (s: sync, w: write, t: truncate, r: read) on the folder's files fail, from
 * the FIRST of the process to the LAST; each leaves a byte in `failed`.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
#define ROUGH (1 << 16)

struct extent {
  off_t from, to;
  struct extent *next;
};
/* Unsynced extents of one inode. */
struct dirty {
  ino_t ino;
  struct extent *extents;
  struct dirty *next;
};

static char root[PATH_MAX], shadow[PATH_MAX];
static ino_t open_ino[FILES];
static struct dirty *dirty[1024];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int on;

static struct {
  char kind;
  int error;
  long first, last, seen;
} fault;

static void give_up(const char *what) {
  dprintf(2, "power shim: %s: %s\n", what, strerror(errno));
  abort();
}

__attribute__((constructor)) static void begin(void) {
  const char *r = getenv("MEDSEAL_POWER_ROOT"), *s = getenv("MEDSEAL_POWER_SHADOW");
  if (!r || !s || !realpath(r, root) || !realpath(s, shadow)) return;
  on = 1;
  const char *f = getenv("MEDSEAL_POWER_FAIL");
  if (f && sscanf(f, "%c %d %ld %ld", &fault.kind, &fault.error, &fault.first, &fault.last) != 4) give_up("what is to fail");
}

static int raw_open(const char *path, int flags, mode_t mode) {
  return syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

static void name_of(char *out, const char *kind, ino_t ino) {
  snprintf(out, PATH_MAX, "%s/%s/%llu", shadow, kind, (unsigned long long)ino);
}

/* The absolute path that a call names, its folder resolved; 0 when it is not ours. */
static int ours(int at, const char *path, char *out) {
  if (!on || !path) return 0;
  char joined[PATH_MAX], folder[PATH_MAX];
  if (path[0] == '/') snprintf(joined, sizeof joined, "%s", path);
  else {
    char link[64], base[PATH_MAX];
    if (at == AT_FDCWD) {
      if (!getcwd(base, sizeof base)) return 0;
    } else {
      snprintf(link, sizeof link, "/proc/self/fd/%d", at);
      ssize_t n = readlink(link, base, sizeof base - 1);
      if (n < 0) return 0;
      base[n] = 0;
    }
    if (snprintf(joined, sizeof joined, "%s/%s", base, path) >= (int)sizeof joined) return 0;
  }
  size_t length = strlen(joined);
  while (length > 1 && joined[length - 1] == '/') joined[--length] = 0;
  char *slash = strrchr(joined, '/');
  if (!slash) return 0;
  char *last = slash + 1;
  *slash = 0;
  if (!realpath(slash == joined ? "/" : joined, folder)) return 0;
  if (snprintf(out, PATH_MAX, "%s/%s", folder, last) >= PATH_MAX) return 0;
  size_t n = strlen(root);
  return strncmp(out, root, n) == 0 && (out[n] == '/' || out[n] == 0);
}

/* Writes down the names in a folder as they are. */
static void note_folder(const char *path, int again) {
  struct stat at;
  if (stat(path, &at) != 0) return;
  char file[PATH_MAX], fresh[PATH_MAX];
  name_of(file, "dir", at.st_ino);
  if (!again && access(file, F_OK) == 0) return;
  snprintf(fresh, sizeof fresh, "%s.new", file);
  DIR *folder = opendir(path);
  FILE *out = fopen(fresh, "w");
  if (!folder || !out) give_up("a folder");
  for (struct dirent *one; (one = readdir(folder));) {
    if (!strcmp(one->d_name, ".") || !strcmp(one->d_name, "..")) continue;
    char full[PATH_MAX];
    struct stat it;
    if (snprintf(full, sizeof full, "%s/%s", path, one->d_name) >= (int)sizeof full || lstat(full, &it) != 0) continue;
    fprintf(out, "%c%c%llu%c%s%c", S_ISDIR(it.st_mode) ? 'd' : 'f', 0, (unsigned long long)it.st_ino, 0, one->d_name, 0);
  }
  closedir(folder);
  if (fclose(out) != 0 || syscall(SYS_renameat2, AT_FDCWD, fresh, AT_FDCWD, file, 0) != 0) give_up("a folder's names");
}

static void parent_of(const char *path, char *out) {
  snprintf(out, PATH_MAX, "%s", path);
  char *slash = strrchr(out, '/');
  if (slash) *slash = 0;
}

static void note_parent(const char *path) {
  char folder[PATH_MAX];
  parent_of(path, folder);
  note_folder(folder, 0);
}

static void copy_bytes(int from, int to, off_t at, off_t until) {
  char buffer[ROUGH];
  while (at < until) {
    size_t some = until - at < ROUGH ? until - at : ROUGH;
    ssize_t n = syscall(SYS_pread64, from, buffer, some, at);
    if (n <= 0) return;
    if (syscall(SYS_pwrite64, to, buffer, n, at) != n) give_up("synced bytes");
    at += n;
  }
}

/* Keeps the bytes of a file from before it is changed: what was there when the process began is on the disk. */
static void keep_before(const char *path, ino_t ino, off_t size) {
  char file[PATH_MAX], fresh[PATH_MAX];
  name_of(file, "ino", ino);
  if (access(file, F_OK) == 0) return;
  snprintf(fresh, sizeof fresh, "%s.new", file);
  int to = raw_open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (to < 0) give_up("bytes of before");
  int from = size > 0 ? raw_open(path, O_RDONLY, 0) : -1;
  if (from >= 0) {
    copy_bytes(from, to, 0, size);
    syscall(SYS_close, from);
  }
  syscall(SYS_close, to);
  if (syscall(SYS_renameat2, AT_FDCWD, fresh, AT_FDCWD, file, 0) != 0) give_up("bytes of before");
}

/* Before a name goes away: its inode stays. */
static void hold(const char *path) {
  struct stat at;
  if (lstat(path, &at) != 0 || !S_ISREG(at.st_mode)) return;
  char held[PATH_MAX];
  name_of(held, "held", at.st_ino);
  if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, held, 0) != 0 && errno != EEXIST) give_up("a file that is let go of");
}

static int full(void) {
  char file[PATH_MAX];
  snprintf(file, sizeof file, "%s/full", shadow);
  return access(file, F_OK) == 0;
}

static ino_t ino_of(int fd) { return on && fd >= 0 && fd < FILES ? open_ino[fd] : 0; }

/* Whether a call on a file is one that is to fail; errno says how. */
static int fails(int fd, char kind) {
  if (kind != fault.kind || !ino_of(fd)) return 0;
  long at = __atomic_add_fetch(&fault.seen, 1, __ATOMIC_SEQ_CST);
  if (at < fault.first || at > fault.last) return 0;
  char file[PATH_MAX];
  snprintf(file, sizeof file, "%s/failed", shadow);
  int note = raw_open(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (note < 0 || syscall(SYS_write, note, &kind, 1) != 1) give_up("a failed call");
  syscall(SYS_close, note);
  errno = fault.error;
  return 1;
}

static struct dirty *dirty_of(ino_t ino) {
  struct dirty *one = dirty[ino % 1024];
  while (one && one->ino != ino) one = one->next;
  return one;
}

static void changed(ino_t ino, off_t from, off_t to) {
  pthread_mutex_lock(&lock);
  struct dirty *one = dirty_of(ino);
  if (!one) {
    one = calloc(1, sizeof *one);
    one->ino = ino;
    one->next = dirty[ino % 1024];
    dirty[ino % 1024] = one;
  }
  struct extent *last = one->extents;
  if (last && from <= last->to && to >= last->from) {
    if (from < last->from) last->from = from;
    if (to > last->to) last->to = to;
  } else {
    struct extent *next = malloc(sizeof *next);
    *next = (struct extent){from, to, last};
    one->extents = next;
  }
  pthread_mutex_unlock(&lock);
}

static void clean(struct dirty *one) {
  while (one && one->extents) {
    struct extent *extent = one->extents;
    one->extents = extent->next;
    free(extent);
  }
}

static void synced(int fd) {
  char link[64], path[PATH_MAX];
  struct stat at;
  if (fstat(fd, &at) != 0) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (S_ISDIR(at.st_mode)) {
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return;
    path[n] = 0;
    pthread_mutex_lock(&lock);
    if (strncmp(path, root, strlen(root)) == 0) note_folder(path, 1);
    pthread_mutex_unlock(&lock);
    return;
  }
  ino_t ino = ino_of(fd);
  if (!ino) return;
  pthread_mutex_lock(&lock);
  struct dirty *one = dirty_of(ino);
  name_of(path, "ino", ino);
  int to = raw_open(path, O_WRONLY, 0), from = raw_open(link, O_RDONLY, 0);
  if (to >= 0 && from >= 0) {
    for (struct extent *extent = one ? one->extents : 0; extent; extent = extent->next)
      copy_bytes(from, to, extent->from, extent->to);
    clean(one);
    if (fstat(from, &at) != 0 || syscall(SYS_ftruncate, to, at.st_size) != 0) give_up("a synced size");
  }
  if (from >= 0) syscall(SYS_close, from);
  if (to >= 0) syscall(SYS_close, to);
  pthread_mutex_unlock(&lock);
}

static int opened(int at, const char *path, int flags, mode_t mode) {
  char file[PATH_MAX];
  int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
  if (!(writes || (flags & O_CREAT)) || !ours(at, path, file)) return syscall(SYS_openat, at, path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat before;
  int there = stat(file, &before) == 0;
  if (there && S_ISREG(before.st_mode)) keep_before(file, before.st_ino, before.st_size);
  if (!there && (flags & O_CREAT)) note_parent(file);
  int fd = syscall(SYS_openat, at, path, flags, mode);
  struct stat now;
  if (fd >= 0 && fd < FILES && fstat(fd, &now) == 0 && S_ISREG(now.st_mode)) {
    if (!there) keep_before(file, now.st_ino, 0);
    open_ino[fd] = now.st_ino;
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

#define MODE(flags, mode)                         \
  mode_t mode = 0;                                \
  if ((flags) & (O_CREAT | O_TMPFILE)) {          \
    va_list rest;                                 \
    va_start(rest, flags);                        \
    mode = va_arg(rest, mode_t);                  \
    va_end(rest);                                 \
  }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags, mode) return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags, mode) return opened(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
  if (fd >= 0 && fd < FILES) open_ino[fd] = 0;
  return syscall(SYS_close, fd);
}

#define WRITTEN(fd, call, at)                               \
  ino_t ino = ino_of(fd);                                   \
  if (ino && full()) return errno = ENOSPC, -1;             \
  if (fails(fd, 'w')) return -1;                            \
  off_t from = ino ? (at) : 0;                              \
  ssize_t n = (call);                                       \
  if (ino && n > 0) changed(ino, from, from + n);           \
  return n;

static off_t position(int fd) {
  int flags = fcntl(fd, F_GETFL);
  struct stat at;
  if (flags >= 0 && (flags & O_APPEND) && fstat(fd, &at) == 0) return at.st_size;
  return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *b, size_t n_) { WRITTEN(fd, syscall(SYS_write, fd, b, n_), position(fd)) }
ssize_t writev(int fd, const struct iovec *v, int c) { WRITTEN(fd, syscall(SYS_writev, fd, v, c), position(fd)) }
ssize_t pwrite(int fd, const void *b, size_t n_, off_t at) { WRITTEN(fd, syscall(SYS_pwrite64, fd, b, n_, at), at) }
ssize_t pwrite64(int fd, const void *b, size_t n_, off64_t at) { WRITTEN(fd, syscall(SYS_pwrite64, fd, b, n_, at), at) }
ssize_t pwritev(int fd, const struct iovec *v, int c, off_t at) { WRITTEN(fd, syscall(SYS_pwritev, fd, v, c, at, 0), at) }
ssize_t pwritev64(int fd, const struct iovec *v, int c, off64_t at) { WRITTEN(fd, syscall(SYS_pwritev, fd, v, c, at, 0), at) }

/* The size goes to the shadow when it is synced. What was cut off and grows again is zeros until then. */
int ftruncate(int fd, off_t size) {
  ino_t ino = ino_of(fd);
  struct stat at;
  if (fails(fd, 't')) return -1;
  if (ino && fstat(fd, &at) == 0 && at.st_size > size) changed(ino, size, at.st_size);
  return syscall(SYS_ftruncate, fd, size);
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

/* As Linux has it, what a failed sync did not write is not written by the next one, either. */
static int sync_fails(int fd) {
  if (!fails(fd, 's')) return 0;
  pthread_mutex_lock(&lock);
  clean(dirty_of(ino_of(fd)));
  pthread_mutex_unlock(&lock);
  errno = fault.error;
  return 1;
}

int fsync(int fd) {
  if (sync_fails(fd)) return -1;
  int result = syscall(SYS_fsync, fd);
  if (on && result == 0) synced(fd);
  return result;
}
int fdatasync(int fd) {
  if (sync_fails(fd)) return -1;
  int result = syscall(SYS_fdatasync, fd);
  if (on && result == 0) synced(fd);
  return result;
}

ssize_t read(int fd, void *b, size_t n) { return fails(fd, 'r') ? -1 : syscall(SYS_read, fd, b, n); }
ssize_t pread(int fd, void *b, size_t n, off_t at) { return fails(fd, 'r') ? -1 : syscall(SYS_pread64, fd, b, n, at); }
ssize_t pread64(int fd, void *b, size_t n, off64_t at) { return fails(fd, 'r') ? -1 : syscall(SYS_pread64, fd, b, n, at); }

static int renamed(int a, const char *from, int b, const char *to, unsigned flags) {
  char old[PATH_MAX], new[PATH_MAX];
  int of = ours(a, from, old), into = ours(b, to, new);
  pthread_mutex_lock(&lock);
  if (of) note_parent(old);
  if (into) note_parent(new), hold(new);
  int result = syscall(SYS_renameat2, a, from, b, to, flags);
  pthread_mutex_unlock(&lock);
  return result;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return renamed(a, from, b, to, flags); }

static int removed(int at, const char *path, int flags) {
  char file[PATH_MAX];
  int mine = ours(at, path, file);
  pthread_mutex_lock(&lock);
  if (mine) note_parent(file), hold(file);
  int result = syscall(SYS_unlinkat, at, path, flags);
  pthread_mutex_unlock(&lock);
  return result;
}
int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return removed(at, path, flags); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }
/* What Node's rmSync comes to. */
int remove(const char *path) {
  int result = removed(AT_FDCWD, path, 0);
  return result != 0 && errno == EISDIR ? rmdir(path) : result;
}

static int made(int at, const char *path, mode_t mode) {
  char file[PATH_MAX];
  int mine = ours(at, path, file);
  pthread_mutex_lock(&lock);
  if (mine) note_parent(file);
  int result = syscall(SYS_mkdirat, at, path, mode);
  /* Of a new folder no name is synced. */
  struct stat it;
  if (mine && result == 0 && stat(file, &it) == 0) note_folder(file, 1);
  pthread_mutex_unlock(&lock);
  return result;
}
int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return made(at, path, mode); }
