#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_START = 127, OUTPUT_BYTES = 4096 };

/// In the child, between fork and exec: only calls that are safe there.
static void become(const char *const *argv, const char *directory, int out_fd) {
    int in_fd = open("/dev/null", O_RDONLY);
    if (in_fd >= 0) dup2(in_fd, 0);
    dup2(out_fd, 1);
    dup2(out_fd, 2);
    if (directory && chdir(directory) != 0) _exit(CANNOT_START);
    // execvp takes char *const * for historical reasons and does not write to the strings.
    union {
        const char *const *in;
        char *const *out;
    } args = {argv};
    execvp(argv[0], args.out);
    _exit(CANNOT_START);
}

static lac_status wait_for(pid_t child, const char *program, lac_error *err) {
    int state;
    while (waitpid(child, &state, 0) < 0) {
        if (errno != EINTR) LAC_FAIL(err, LAC_E_DEVICE, "lost track of %s: %s", program, strerror(errno));
    }
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return LAC_OK;
    if (WIFEXITED(state) && WEXITSTATUS(state) == CANNOT_START)
        LAC_FAIL(err, LAC_E_DEVICE, "cannot run %s: is it installed? (scripts/setup has the packages)",
                 program);
    if (WIFSIGNALED(state))
        LAC_FAIL(err, LAC_E_DEVICE, "%s was killed by signal %d", program, WTERMSIG(state));
    LAC_FAIL(err, LAC_E_DEVICE, "%s failed with exit code %d", program, WEXITSTATUS(state));
}

lac_status lac_process_run(const char *const *argv, const char *directory, const char *log, lac_error *err) {
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) LAC_FAIL(err, LAC_E_IO, "cannot write '%s': %s", log, strerror(errno));
    pid_t child = fork();
    if (child == 0) become(argv, directory, fd);
    close(fd);
    if (child < 0) LAC_FAIL(err, LAC_E_DEVICE, "cannot start %s: %s", argv[0], strerror(errno));
    return wait_for(child, argv[0], err);
}

lac_status lac_process_output(const char *const *argv, lac_arena *arena, const char **out, lac_error *err) {
    int ends[2];
    if (pipe(ends) != 0) LAC_FAIL(err, LAC_E_IO, "no pipe to %s: %s", argv[0], strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        become(argv, NULL, ends[1]);
    }
    close(ends[1]);
    char *text = lac_arena_alloc(arena, OUTPUT_BYTES);
    size_t n = 0;
    while (n < OUTPUT_BYTES - 1) {
        ssize_t got = read(ends[0], text + n, OUTPUT_BYTES - 1 - n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        n += (size_t)got;
    }
    close(ends[0]);
    if (child < 0) LAC_FAIL(err, LAC_E_DEVICE, "cannot start %s: %s", argv[0], strerror(errno));
    LAC_TRY(wait_for(child, argv[0], err));
    *out = text;
    return LAC_OK;
}
