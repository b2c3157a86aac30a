#include "image_doc.h"

#include "engine_area.h"
#include "stage.h"
#include "step_report.h"

#include <math.h>

static double n_lanes(const lac_image *image) {
    return (double)(image->engine.mesh_x * image->engine.mesh_y);
}

uint64_t lac_image_ideal_cycles(const lac_image *image) {
    uint64_t n = 0;
    for (int i = 0; i < image->n_steps; i++) n += image->steps[i].ideal_cycles;
    return n;
}

void lac_image_describe(lac_doc *doc, const lac_image *image, size_t n_bytes) {
    const lac_engine_config *e = &image->engine;
    double all = (double)lac_int_graph_n_weights(image->graph, false);
    double left = (double)lac_int_graph_n_weights(image->graph, true);
    double macs = (double)lac_int_graph_macs(image->graph, true);
    double ideal = (double)lac_image_ideal_cycles(image);
    lac_doc_text(doc, "network", "network", "%s", image->graph->name);
    static const char *const lanes[] = {
        [LAC_LANE_MUL] = "mul", [LAC_LANE_DIGIT] = "digit", [LAC_LANE_LOGIC] = "logic"};
    lac_doc_text(doc, "engine", "engine",
                 "%dx%d %s lanes, codes of %d bits, drain %d, accumulators of %d bits, %d activation words, "
                 "%d list entries%s%s%s",
                 e->mesh_x, e->mesh_y, lanes[e->lane], e->act_bits, e->drain, e->acc_bits, e->act_words,
                 e->list_words,
                 e->vector ? lac_arena_printf(image->arena, ", vector unit of %d", e->vector) : "",
                 e->table ? ", tables" : "", e->scale ? ", factors" : "");
    if (lac_image_batch(image) > 1)
        lac_doc_number(doc, "images_a_run", "images a run", lac_image_batch(image), LAC_DOC_COUNT);
    lac_doc_text(doc, "contract", "contract", "%08x", image->contract_hash);
    lac_doc_number(doc, "file_bytes", "file", (double)n_bytes, LAC_DOC_BYTES);
    lac_doc_number(doc, "program_bytes", "program stream", 8.0 * (double)image->n_program, LAC_DOC_BYTES);
    lac_doc_number(doc, "weights", "weights", all, LAC_DOC_COUNT);
    lac_doc_number(doc, "nonzero_weights", "of which not zero", left, LAC_DOC_COUNT);
    lac_doc_number(doc, "zeros", "zeros", all > 0 ? 1 - left / all : 0, LAC_DOC_PERCENT);
    lac_doc_number(doc, "macs", "MACs an image", (double)lac_int_graph_macs(image->graph, false),
                   LAC_DOC_COUNT);
    lac_doc_number(doc, "nonzero_macs", "of which not zero", macs, LAC_DOC_COUNT);
    lac_doc_number(doc, "ideal_cycles", "entries x pixels", ideal, LAC_DOC_COUNT);
    if (ideal > 0)
        lac_doc_number(doc, "ideal_utilization", "lanes then busy",
                       macs * lac_image_batch(image) / (ideal * n_lanes(image)), LAC_DOC_PERCENT);
}

static const lac_int_layer *layer_of(const lac_image *image, const lac_step *step) {
    return &image->graph->layers[step->layer];
}

/// What the steps are and how their weights are listed.
static void describe_lists(lac_doc *doc, const lac_image *image, const lac_step_row *rows) {
    lac_doc_table_begin(doc, "lists",
                        "step|kind|input|output|weights|nonzero_weights|entries|skips|format|list_bytes|"
                        "bits_per_nonzero|acc_bits",
                        "<step|<kind|<input|<output|weights|not zero|entries|skips|<list format|bytes|"
                        "bits/weight|acc bits");
    for (int i = 0; i < image->n_steps; i++) {
        const lac_step_row *r = &rows[i];
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", r->name);
        lac_doc_cell_text(doc, "%s", r->kind);
        lac_doc_cell_text(doc, "%s", r->in_shape);
        lac_doc_cell_text(doc, "%s", r->out_shape);
        lac_doc_cell(doc, (double)r->n_weights, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)r->n_nonzero, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)r->n_entries, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)r->n_skips, LAC_DOC_COUNT);
        lac_doc_cell_text(doc, "%s", r->format);
        lac_doc_cell(doc, (double)r->list_bytes, LAC_DOC_COUNT);
        lac_doc_cell(doc, r->bits_per_nonzero, LAC_DOC_REAL);
        lac_doc_cell(doc, r->acc_bits, LAC_DOC_COUNT);
    }
    lac_doc_table_end(doc);
}

/// What the steps are predicted to take.
static void describe_costs(lac_doc *doc, const lac_image *image, const lac_step_row *rows) {
    lac_doc_table_begin(
        doc, "costs", "step|tile|macs|ideal_cycles|cycles|mesh|starved|drain|other|utilization|reason",
        "<step|tile|MACs|entries x pixels|cycles|mesh|starved|drain|other|lanes busy|<the rest");
    double total = 0;
    for (int i = 0; i < image->n_steps; i++) {
        const lac_step_row *r = &rows[i];
        total += (double)r->cost.total;
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", r->name);
        lac_doc_cell_text(doc, "%s", r->tile);
        lac_doc_cell(doc, (double)r->n_macs, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)r->ideal_cycles, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)r->cost.total, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)r->cost.mesh, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)r->cost.starved, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)r->cost.drain, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)r->cost.other, LAC_DOC_COUNT);
        lac_doc_cell(doc, r->utilization, LAC_DOC_PERCENT);
        lac_doc_cell_text(doc, "%s", r->reason);
    }
    lac_doc_table_end(doc);
    lac_doc_number(doc, "predicted_cycles", "predicted cycles", total, LAC_DOC_COUNT);
}

static void area_row(lac_doc *doc, const char *name, const lac_area *a) {
    lac_doc_row(doc);
    lac_doc_cell_text(doc, "%s", name);
    lac_doc_cell(doc, floor(a->lut + 0.5), LAC_DOC_COUNT);
    lac_doc_cell(doc, floor(a->ff + 0.5), LAC_DOC_COUNT);
    lac_doc_cell(doc, a->dsp, LAC_DOC_COUNT);
    lac_doc_cell(doc, a->ram, LAC_DOC_REAL);
}

/// What the engine is predicted to take on the 7 series.
static void describe_area(lac_doc *doc, const lac_engine_config *engine) {
    lac_area sum;
    lac_error err;
    if (lac_engine_area(engine, true, &sum, &err) != LAC_OK) {
        lac_doc_text(doc, "area_note", "area", "%s", err.text);
        return;
    }
    lac_doc_text(doc, "area_note", "area",
                 "an estimate of what Yosys counts for the 7 series (xc7), memories in RAMB36");
    lac_doc_table_begin(doc, "area", "part|lut|ff|dsp|ram", "<part|LUT|FF|DSP|RAMB36");
    for (int p = 0; p < LAC_N_AREA_PARTS; p++) {
        lac_area a = lac_engine_area_part(engine, (lac_area_part)p);
        area_row(doc, lac_area_part_name((lac_area_part)p), &a);
    }
    area_row(doc, "total", &sum);
    lac_doc_table_end(doc);
}

void lac_image_describe_steps(lac_doc *doc, const lac_image *image, lac_arena *arena) {
    lac_step_row *rows;
    lac_step_report(image, arena, &rows);
    describe_lists(doc, image, rows);
    describe_costs(doc, image, rows);
    describe_area(doc, &image->engine);
}

/// Where the cycles above the ideal went, largest first.
static const char *reason(const lac_step *step, const lac_step_cycles *c) {
    uint64_t rest = c->total > step->ideal_cycles ? c->total - step->ideal_cycles : 0;
    uint64_t skips = c->compute > step->ideal_cycles ? c->compute - step->ideal_cycles : 0;
    if (rest * 50 < step->ideal_cycles) return "-";
    if (skips >= c->starved && skips >= c->drain && skips >= c->other) return "skip entries";
    if (c->starved >= c->drain && c->starved >= c->other) return "waiting for the weight stream";
    if (c->drain >= c->other) return "waiting for the drain";
    return "beginning and ending the step";
}

static void describe_sums(lac_doc *doc, const lac_image *image, const lac_step_cycles *cycles) {
    double total = 0, conv_total = 0, conv_ideal = 0;
    for (int i = 0; i < image->n_steps; i++) {
        const lac_int_layer *l = layer_of(image, &image->steps[i]);
        total += (double)cycles[i].total;
        // A layer whose map has one pixel per lane at most is fully connected: bound by the weight stream.
        const lac_int_tensor *out = &image->graph->tensors[l->out];
        if (l->kind != LAC_INT_CONV2D || out->h * out->w == 1) continue;
        conv_total += (double)cycles[i].total;
        conv_ideal += (double)image->steps[i].ideal_cycles;
    }
    double macs = (double)lac_int_graph_macs(image->graph, true);
    lac_doc_number(doc, "cycles", "cycles an image", total / lac_image_batch(image), LAC_DOC_COUNT);
    if (conv_ideal > 0)
        lac_doc_number(doc, "conv_ratio", "convolutions to ideal", conv_total / conv_ideal, LAC_DOC_RATIO);
    if (total > 0)
        lac_doc_number(doc, "utilization", "lane utilisation",
                       macs * lac_image_batch(image) / (total * n_lanes(image)), LAC_DOC_PERCENT);
}

void lac_image_describe_cycles(lac_doc *doc, const lac_image *image, const lac_step_cycles *cycles) {
    lac_doc_table_begin(doc, "step_cycles",
                        "step|ideal|total|ratio|compute|starved|drain|other|utilization|reason",
                        "<step|ideal|cycles|ratio|compute|starved|drain|other|lanes busy|<the rest");
    for (int i = 0; i < image->n_steps; i++) {
        const lac_step *s = &image->steps[i];
        const lac_step_cycles *c = &cycles[i];
        double macs = (double)lac_int_layer_macs(image->graph, layer_of(image, s), true);
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", s->name);
        lac_doc_cell(doc, (double)s->ideal_cycles, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)c->total, LAC_DOC_COUNT);
        if (s->ideal_cycles)
            lac_doc_cell(doc, (double)c->total / (double)s->ideal_cycles, LAC_DOC_RATIO);
        else
            lac_doc_cell_none(doc);
        lac_doc_cell(doc, (double)c->compute, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)c->starved, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)c->drain, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)c->other, LAC_DOC_COUNT);
        if (c->total)
            lac_doc_cell(doc, macs * lac_image_batch(image) / ((double)c->total * n_lanes(image)),
                         LAC_DOC_PERCENT);
        else
            lac_doc_cell_none(doc);
        lac_doc_cell_text(doc, "%s", reason(s, c));
    }
    lac_doc_table_end(doc);
    describe_sums(doc, image, cycles);
}
