#define _XOPEN_SOURCE 700 // realpath
#include "library_cache.h"

#include "file.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- keys -------------------------------------------------------------------------------------------------

lac_key lac_key_begin(void) {
    return (lac_key){0xcbf29ce484222325u, 0x9ae16a3b2f90404fu};
}

void lac_key_bytes(lac_key *key, const void *data, size_t n) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < n; i++) {
        key->a = (key->a ^ bytes[i]) * 0x100000001b3u;
        key->b = (key->b ^ bytes[i] ^ 0x55u) * 0x100000001b3u;
    }
}

void lac_key_text(lac_key *key, const char *text) {
    lac_key_bytes(key, text, strlen(text) + 1);
}

void lac_key_processor(lac_key *key) {
    FILE *in = fopen("/proc/cpuinfo", "r");
    if (!in) return;
    char line[8192];
    while (fgets(line, sizeof line, in) && line[0] != '\n') {
        if (strncmp(line, "model name", 10) == 0 || strncmp(line, "flags", 5) == 0) lac_key_text(key, line);
    }
    fclose(in);
}

// ---- building ---------------------------------------------------------------------------------------------

static const char *cache_directory(const char *given, lac_arena *arena) {
    const char *own = getenv("LACUNA_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (given) return given;
    if (own && *own) return own;
    if (xdg && *xdg) return lac_arena_printf(arena, "%s/lacuna", xdg);
    return lac_arena_printf(arena, "%s/.cache/lacuna", home && *home ? home : ".");
}

/// Waits until no one else builds the model of this name. The lock goes with the descriptor, so that of a
/// builder that dies is free at once.
static lac_status lock(const char *path, int *fd, lac_error *err) {
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (*fd < 0) LAC_FAIL(err, LAC_E_IO, "cannot write '%s': %s", path, strerror(errno));
    while (flock(*fd, LOCK_EX) != 0) {
        if (errno == EINTR) continue;
        int why = errno;
        close(*fd);
        LAC_FAIL(err, LAC_E_IO, "cannot lock '%s': %s", path, strerror(why));
    }
    return LAC_OK;
}

/// Builds beside the library and moves it into place; on failure only the log stays.
static lac_status build(const lac_library_recipe *recipe, const char *name, lac_arena *arena,
                        const lac_talk *talk, lac_error *err) {
    char *directory = lac_arena_printf(arena, "%s.XXXXXX", name);
    const char *kept = lac_arena_printf(arena, "%s.log", name);
    if (!mkdtemp(directory)) LAC_FAIL(err, LAC_E_IO, "cannot make '%s': %s", directory, strerror(errno));
    lac_error inner = {0};
    lac_status status = recipe->build(recipe->ctx, directory, arena, talk, &inner);
    if (status == LAC_OK) {
        const char *library = lac_arena_printf(arena, "%s/engine.so", directory);
        if (rename(library, lac_arena_printf(arena, "%s.so", name)) != 0)
            status =
                lac_fail(&inner, LAC_E_IO, "cannot move '%s' into the cache: %s", library, strerror(errno));
    }
    if (status == LAC_OK) {
        unlink(kept);
    } else if (rename(lac_arena_printf(arena, "%s/build.log", directory), kept) == 0) {
        lac_fail(err, status, "%s could not be built: %s; its output is kept in %s", recipe->what, inner.text,
                 kept);
    } else {
        lac_fail(err, status, "%s could not be built: %s", recipe->what, inner.text);
    }
    lac_tree_remove(directory);
    return status;
}

static lac_status find_or_build(const lac_library_recipe *recipe, const char *name, const char *library,
                                lac_arena *arena, const lac_talk *talk, lac_error *err) {
    if (access(library, R_OK) == 0) return LAC_OK;
    int fd;
    LAC_TRY(lock(lac_arena_printf(arena, "%s.lock", name), &fd, err));
    lac_status status = LAC_OK;
    if (access(library, R_OK) != 0) {
        lac_talk_note(talk, "building %s %s (once for this configuration)", recipe->what, library);
        status = build(recipe, name, arena, talk, err);
    }
    close(fd);
    return status;
}

lac_status lac_library_open(const lac_library_recipe *recipe, const char *cache_dir, lac_arena *arena,
                            const lac_talk *talk, void **handle, const char **path, lac_error *err) {
    const char *cache = cache_directory(cache_dir, arena);
    LAC_TRY(lac_dir_make(cache, err));
    // Commands of the build run in a directory of their own, so a relative cache path must become absolute.
    char *whole = realpath(cache, NULL);
    if (!whole) LAC_FAIL(err, LAC_E_IO, "cannot find '%s': %s", cache, strerror(errno));
    const char *name = lac_arena_printf(arena, "%s/%s-%016llx%016llx", whole, recipe->name,
                                        (unsigned long long)recipe->key.a, (unsigned long long)recipe->key.b);
    free(whole);
    *path = lac_arena_printf(arena, "%s.so", name);
    LAC_TRY(find_or_build(recipe, name, *path, arena, talk, err));
    *handle = dlopen(*path, RTLD_NOW | RTLD_LOCAL);
    if (!*handle)
        LAC_FAIL(err, LAC_E_DEVICE, "cannot load '%s': %s; delete it to have it rebuilt", *path, dlerror());
    return LAC_OK;
}

/// Two levels are all there is: the build directory and obj/.
void lac_tree_remove(const char *directory) {
    DIR *dir = opendir(directory);
    if (!dir) return;
    char path[4096];
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >= sizeof path) continue;
        struct stat info;
        if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
            lac_tree_remove(path);
        else
            unlink(path);
    }
    closedir(dir);
    rmdir(directory);
}
