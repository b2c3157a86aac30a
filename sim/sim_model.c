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

static lac_status open_in(const lac_sim_config *config, lac_arena *arena, const lac_talk *talk,
                          lac_sim_model *out, lac_error *err) {
    lac_sim_recipe recipe;
    lac_sim_recipe_make(config, arena, &recipe);
    lac_library_recipe library = {.what = "the engine model",
                                  .name =
                                      lac_arena_printf(arena, "engine-%dx%d", config->mesh_x, config->mesh_y),
                                  .build = build,
                                  .ctx = &recipe};
    LAC_TRY(lac_sim_recipe_key(&recipe, arena, &library.key, err));
    void *handle;
    const char *path;
    LAC_TRY(lac_library_open(&library, config->cache_dir, arena, talk, &handle, &path, err));
    union {
        void *object;
        lac_shim_entry *function;
    } entry = {dlsym(handle, LAC_SHIM_SYMBOL)};
    if (!entry.object || entry.function()->version != LAC_SHIM_VERSION) {
        dlclose(handle);
        LAC_FAIL(err, LAC_E_DEVICE, "'%s' is not an engine model; delete it to have it rebuilt", path);
    }
    *out = (lac_sim_model){handle, entry.function()};
    return LAC_OK;
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
