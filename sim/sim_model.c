#include "sim_model.h"

#include "library_cache.h"
#include "sim_build.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static lac_status build(void *ctx, const char *directory, lac_arena *arena, const lac_talk *talk,
                        lac_error *err) {
    return lac_sim_recipe_build(ctx, directory, arena, talk, err);
}

static lac_status open_in(const lac_sim_config *config, lac_arena *arena, const lac_talk *talk, void **out,
                          lac_error *err) {
    lac_sim_recipe recipe;
    lac_sim_recipe_make(config, arena, &recipe);
    const char *what = config->shell_data_bits ? "shell" : "engine", *path;
    lac_library_recipe library = {
        .what = "the engine model",
        .name = lac_arena_printf(arena, "%s-%dx%d", what, config->mesh_x, config->mesh_y),
        .build = build,
        .ctx = &recipe};
    LAC_TRY(lac_sim_recipe_key(&recipe, arena, &library.key, err));
    return lac_library_open(&library, config->cache_dir, arena, talk, out, &path, err);
}

lac_status lac_sim_library_open(const lac_sim_config *config, const lac_talk *talk, void **out,
                                lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to open the engine model");
    lac_status status = open_in(config, arena, talk, out, err);
    lac_arena_close(arena);
    return status;
}

lac_status lac_sim_model_open(const lac_sim_config *config, const lac_talk *talk, lac_sim_model *out,
                              lac_error *err) {
    void *handle;
    LAC_TRY(lac_sim_library_open(config, talk, &handle, err));
    union {
        void *object;
        lac_shim_entry *function;
    } entry = {dlsym(handle, LAC_SHIM_SYMBOL)};
    if (!entry.object || entry.function()->version != LAC_SHIM_VERSION) {
        dlclose(handle);
        LAC_FAIL(err, LAC_E_DEVICE,
                 "the library in the model cache is no engine model; delete it to have it rebuilt");
    }
    *out = (lac_sim_model){handle, entry.function()};
    return LAC_OK;
}

void lac_sim_model_close(lac_sim_model *model) {
    if (model->library) dlclose(model->library);
}
