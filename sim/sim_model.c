#define _XOPEN_SOURCE 700 // realpath
#include "sim_model.h"

#include "file.h"
#include "sim_build.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char *cache_directory(const lac_sim_config *config, lac_arena *arena) {
    const char *own = getenv("LACUNA_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (config->cache_dir) return config->cache_dir;
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
static lac_status build(const lac_sim_recipe *recipe, const char *name, lac_arena *arena,
                        const lac_talk *talk, lac_error *err) {
    char *directory = lac_arena_printf(arena, "%s.XXXXXX", name);
    const char *kept = lac_arena_printf(arena, "%s.log", name);
    if (!mkdtemp(directory)) LAC_FAIL(err, LAC_E_IO, "cannot make '%s': %s", directory, strerror(errno));
    lac_error inner = {0};
    lac_status status = lac_sim_recipe_build(recipe, directory, arena, talk, &inner);
    if (status == LAC_OK) {
        const char *library = lac_arena_printf(arena, "%s/engine.so", directory);
        if (rename(library, lac_arena_printf(arena, "%s.so", name)) != 0)
            status =
                lac_fail(&inner, LAC_E_IO, "cannot move '%s' into the cache: %s", library, strerror(errno));
    }
    if (status == LAC_OK) {
        unlink(kept);
    } else if (rename(lac_arena_printf(arena, "%s/build.log", directory), kept) == 0) {
        lac_fail(err, status, "the engine model could not be built: %s; its output is kept in %s", inner.text,
                 kept);
    } else {
        lac_fail(err, status, "the engine model could not be built: %s", inner.text);
    }
    lac_sim_remove_tree(directory);
    return status;
}

static lac_status find_or_build(const lac_sim_recipe *recipe, const char *name, const char *library,
                                lac_arena *arena, const lac_talk *talk, lac_error *err) {
    if (access(library, R_OK) == 0) return LAC_OK;
    int fd;
    LAC_TRY(lock(lac_arena_printf(arena, "%s.lock", name), &fd, err));
    lac_status status = LAC_OK;
    if (access(library, R_OK) != 0) {
        lac_talk_note(talk, "building the engine model %s (once for this configuration)", library);
        status = build(recipe, name, arena, talk, err);
    }
    close(fd);
    return status;
}

static lac_status load_library(const char *library, lac_sim_model *out, lac_error *err) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        LAC_FAIL(err, LAC_E_DEVICE, "cannot load '%s': %s; delete it to have it rebuilt", library, dlerror());
    union {
        void *object;
        lac_shim_entry *function;
    } entry = {dlsym(handle, LAC_SHIM_SYMBOL)};
    if (!entry.object || entry.function()->version != LAC_SHIM_VERSION) {
        dlclose(handle);
        LAC_FAIL(err, LAC_E_DEVICE, "'%s' is not an engine model; delete it to have it rebuilt", library);
    }
    *out = (lac_sim_model){handle, entry.function()};
    return LAC_OK;
}

static lac_status open_in(const lac_sim_config *config, lac_arena *arena, const lac_talk *talk,
                          lac_sim_model *out, lac_error *err) {
    lac_sim_recipe recipe;
    const char *key, *cache = cache_directory(config, arena);
    lac_sim_recipe_make(config, arena, &recipe);
    LAC_TRY(lac_sim_recipe_key(&recipe, arena, &key, err));
    LAC_TRY(lac_dir_make(cache, err));
    // Commands of the build run in a directory of their own, so a relative cache path must become absolute.
    char *whole = realpath(cache, NULL);
    if (!whole) LAC_FAIL(err, LAC_E_IO, "cannot find '%s': %s", cache, strerror(errno));
    const char *name =
        lac_arena_printf(arena, "%s/engine-%dx%d-%s", whole, config->mesh_x, config->mesh_y, key);
    free(whole);
    const char *library = lac_arena_printf(arena, "%s.so", name);
    LAC_TRY(find_or_build(&recipe, name, library, arena, talk, err));
    return load_library(library, out, err);
}

lac_status lac_sim_model_open(const lac_sim_config *config, const lac_talk *talk, lac_sim_model *out,
                              lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to open the engine model");
    lac_status status = open_in(config, arena, talk, out, err);
    lac_arena_close(arena);
    return status;
}

void lac_sim_model_close(lac_sim_model *model) {
    if (model->library) dlclose(model->library);
}
