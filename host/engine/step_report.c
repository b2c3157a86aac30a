#include "step_report.h"

#include "layout.h"
#include "program_survey.h"

#include <stdio.h>

void lac_image_costs(const lac_image *image, lac_step_cost *costs) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) return;
    const lac_step_survey *surveys = lac_image_survey(image, scratch);
    lac_engine_clock clock = {0};
    for (int s = 0; s < image->n_steps; s++)
        lac_step_predict(&image->engine, &surveys[s].record, surveys[s].work, &clock, scratch, &costs[s]);
    lac_arena_close(scratch);
}

static void print_shape(const lac_int_tensor *t, char text[32]) {
    snprintf(text, 32, "%dx%dx%d", t->c, t->h, t->w);
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/// Share of the mesh's places that hold a pixel of the step's output.
static double filled(const lac_image *image, const lac_int_tensor *t, const lac_layout *layout) {
    double places = (double)lac_engine_lanes(&image->engine) * layout->tile_h * layout->tile_w;
    return (double)t->h * t->w * lac_image_batch(image) / places;
}

/// The largest loss first: cycles above the ideal, then lanes without a pixel.
static const char *reason_of(const lac_image *image, const lac_step_row *row, const lac_layer_record *record,
                             double fill) {
    const lac_step_cost *c = &row->cost;
    uint64_t most = larger(c->starved, larger(c->drain, c->other));
    (void)image;
    if (record->ORDER == LAC_ORDER_LANES || record->ORDER == LAC_ORDER_VECTOR)
        return "every weight is used once: bound by the program stream";
    if (most * 20 > c->total) {
        if (most == c->starved) return "lists are shorter than their decoding: few pixels a list";
        if (most == c->drain) return "results leave more slowly than they are made: few entries a result";
        return "pipeline between steps: little work in this one";
    }
    if (fill < 0.75) return "lanes without a pixel: the map does not fill the mesh";
    if (fill < 0.999) return "some lanes at the edge hold no pixel";
    return "none to speak of";
}

static const char *format_of(const lac_layer_record *r, lac_arena *arena) {
    static const char *const minor[] = {"channel", "tap", "lane", "slot"};
    int bits = lac_entry_bits(r->ENTRY_BITS);
    const char *format =
        lac_arena_printf(arena, "%d+%d by %s", bits - r->WEIGHT_BITS, r->WEIGHT_BITS, minor[r->ORDER]);
    if (!r->STREAMED) return format;
    return lac_arena_printf(arena, "%s, %llu times", format, (unsigned long long)lac_record_visits(r));
}

static uint64_t list_words(const lac_step_survey *survey) {
    uint64_t n = (uint64_t)survey->record.N_OUT;
    uint64_t copies = survey->record.STREAMED ? lac_record_visits(&survey->record) : 1;
    for (int o = 0; o < survey->record.N_OUT; o++) n += copies * survey->work[o].n_words;
    return n;
}

static void fill_row(const lac_image *image, int s, const lac_step_survey *survey, lac_arena *arena,
                     lac_step_row *row) {
    const lac_int_graph *graph = image->graph;
    const lac_step *step = &image->steps[s];
    const lac_int_layer *layer = &graph->layers[step->layer];
    const lac_layout *in = &image->layouts[layer->in[0]];
    const char *kind = lac_int_kind_name(layer->kind);
    row->name = step->name;
    row->kind = lac_arena_printf(arena, "%s%s%s", kind, step->table_layer < 0 ? "" : " + table",
                                 step->pool_layer < 0 ? "" : " + max_pool");
    print_shape(&graph->tensors[layer->in[0]], row->in_shape);
    print_shape(&graph->tensors[step->out_tensor], row->out_shape);
    snprintf(row->tile, sizeof row->tile, "%dx%d", in->tile_h, in->tile_w);
    row->n_weights = lac_int_layer_weights(graph, layer, false);
    row->n_nonzero = lac_int_layer_weights(graph, layer, true);
    row->n_entries = step->n_entries;
    row->n_skips = step->n_skips;
    row->list_bytes = 8 * list_words(survey);
    row->bits_per_nonzero = row->n_entries ? 8.0 * (double)row->list_bytes / (double)row->n_entries : 0;
    row->format = format_of(&survey->record, arena);
    row->acc_bits = lac_int_layer_acc_bits(graph, layer);
    row->n_macs = lac_int_layer_macs(graph, layer, true);
    row->ideal_cycles = step->ideal_cycles;
    row->utilization = (double)row->n_macs * lac_image_batch(image) /
                       ((double)row->cost.total * lac_engine_lanes(&image->engine));
    double fill = filled(image, &graph->tensors[layer->out], &image->layouts[layer->out]);
    row->reason = reason_of(image, row, &survey->record, fill);
}

void lac_step_report(const lac_image *image, lac_arena *arena, lac_step_row **rows) {
    const lac_step_survey *surveys = lac_image_survey(image, arena);
    lac_step_cost *costs = LAC_NEW_ARRAY(arena, lac_step_cost, image->n_steps);
    lac_image_costs(image, costs);
    *rows = LAC_NEW_ARRAY(arena, lac_step_row, image->n_steps);
    for (int s = 0; s < image->n_steps; s++) {
        (*rows)[s].cost = costs[s];
        fill_row(image, s, &surveys[s], arena, &(*rows)[s]);
    }
}
