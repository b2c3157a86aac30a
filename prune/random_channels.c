#include "rng.h"
#include "structured.h"

static lac_status score(const lac_structured *s, double *score, lac_error *err) {
    lac_rng rng = lac_rng_make(s->config->recipe.seed, 0xC4A);
    (void)err;
    for (int i = 0; i < s->gates->n; i++) score[i] = (double)lac_rng_uniform(&rng);
    return LAC_OK;
}

static const lac_criterion criterion = {
    .name = "random-channels", .scope = LAC_SCOPE_LAYER, .comparable = true, .score = score};

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_structured_run(&criterion, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_random_channels = {
    .name = "random-channels",
    .help = "channels at random: what any criterion must beat",
    .source = "baseline",
    .run = run,
    .removes_channels = true,
};
