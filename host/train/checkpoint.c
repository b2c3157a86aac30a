#include "checkpoint.h"

#include "file.h"

#include <inttypes.h>
#include <string.h>

// File: header, then for each constant its data and, where has_mask, its mask, then the optimiser's memories,
// then the running average and the best constants where they are kept, then what the hook remembers, then the
// CRC-32 of all before. Little endian, as the machine that wrote it: a checkpoint does not travel.
typedef struct header {
    char magic[8];
    uint64_t hash;
    lac_progress progress;
} header;

static const char magic[8] = "LACCKPT2";

// ---- hash -----------------------------------------------------------------------------------------------

// FNV-1a, 64 bits.
static void mix(uint64_t *hash, const void *data, size_t n) {
    const uint8_t *bytes = data;
    // The analyser does not see the bytes of a double.
    // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult)
    for (size_t i = 0; i < n; i++) *hash = (*hash ^ bytes[i]) * 0x100000001B3u;
}

static void mix_number(uint64_t *hash, double number) {
    mix(hash, &number, sizeof number);
}

static void mix_graph(uint64_t *hash, const lac_graph *graph) {
    for (int i = 0; i < graph->n_nodes; i++) {
        const lac_node *node = &graph->nodes[i];
        mix(hash, node->name, strlen(node->name));
        mix_number(hash, node->op);
        mix(hash, node->in, (size_t)node->n_in * sizeof *node->in);
        mix(hash, &node->attr.window, sizeof node->attr.window); // ints alone: no padding
        const lac_rearrange_attr *m = &node->attr.move;
        const int moves[] = {m->begin,     m->end,    m->groups, m->factor[0], m->factor[1], m->block,
                             m->by_column, m->pad[0], m->pad[1], m->pad[2],    m->pad[3],    m->circular};
        mix(hash, moves, sizeof moves);
        mix_number(hash, (double)node->attr.epsilon);
        mix_number(hash, (double)node->attr.momentum);
        mix_number(hash, node->attr.quant.bits * 8 + node->attr.quant.is_signed * 4 +
                             node->attr.quant.narrow * 2 + node->attr.count_include_pad);
    }
    for (int v = 0; v < graph->n_values; v++) {
        const lac_value *value = &graph->values[v];
        if (!value->data) continue;
        uint64_t n = (uint64_t)lac_shape_count(value->shape);
        uint32_t crc = lac_crc32(0, value->data, n * sizeof(float));
        if (value->mask) crc = lac_crc32(crc, value->mask, n);
        mix(hash, &crc, sizeof crc);
        mix_number(hash, value->trainable);
    }
}

static void mix_teacher(uint64_t *hash, const lac_distillation *d) {
    const double numbers[] = {(double)d->weight, (double)d->temperature, (double)d->hint_weight, d->n_hints};
    mix(hash, numbers, sizeof numbers);
    for (int i = 0; i < d->n_hints; i++) {
        mix_number(hash, d->hints[i].value);
        mix_number(hash, d->hints[i].teacher_value);
    }
    mix_graph(hash, d->teacher);
}

uint64_t lac_run_hash(const lac_graph *graph, const lac_recipe *r, const lac_dataset *data,
                      const lac_distillation *distillation) {
    uint64_t hash = 0xCBF29CE484222325u;
    const double numbers[] = {r->optimizer,
                              r->schedule,
                              (double)r->epochs,
                              r->batch,
                              (double)r->lr,
                              (double)r->warmup_epochs,
                              (double)r->weight_decay,
                              (double)r->scale_lr,
                              (double)r->label_smoothing,
                              r->crop_pad,
                              r->flip,
                              r->freeze_batch_norm,
                              r->precision,
                              (double)r->step_epochs,
                              (double)r->step_factor,
                              r->cutout,
                              (double)r->erase,
                              (double)r->mixup,
                              (double)r->clip,
                              (double)r->ema,
                              r->patience,
                              r->settings,
                              data->data_crc,
                              data->train.n,
                              data->validation.n};
    mix(&hash, numbers, sizeof numbers);
    mix(&hash, &r->seed, sizeof r->seed);
    mix(&hash, data->mean, sizeof data->mean);
    mix(&hash, data->std, sizeof data->std);
    mix_graph(&hash, graph);
    if (distillation) mix_teacher(&hash, distillation);
    return hash;
}

// ---- one walk for writing and reading ---------------------------------------------------------------------

typedef struct tape {
    uint8_t *at, *end; // NULL at: only count
    size_t n;
    bool reading, short_of_data;
} tape;

static void pass(tape *t, void *data, size_t n) {
    t->n += n;
    if (!t->at || t->short_of_data) return;
    if ((size_t)(t->end - t->at) < n) {
        t->short_of_data = true;
        return;
    }
    if (t->reading)
        memcpy(data, t->at, n);
    else
        memcpy(t->at, data, n);
    t->at += n;
}

static void pass_value(tape *t, lac_value *value, lac_arena *arena) {
    size_t n = (size_t)lac_shape_count(value->shape);
    uint8_t has_mask = value->mask != NULL;
    pass(t, &has_mask, 1);
    pass(t, value->data, n * sizeof(float));
    if (t->reading) {
        if (!has_mask)
            value->mask = NULL;
        else if (!value->mask)
            value->mask = lac_arena_alloc(arena, n);
    }
    if (has_mask) pass(t, value->mask, n);
}

static void pass_snapshot(tape *t, lac_snapshot *snapshot, const lac_graph *graph) {
    for (int v = 0; snapshot && v < graph->n_values; v++)
        if (snapshot->data[v])
            pass(t, snapshot->data[v], (size_t)lac_shape_count(graph->values[v].shape) * sizeof(float));
}

static void pass_run(tape *t, const lac_run_state *run) {
    lac_graph *graph = run->graph;
    lac_optimizer_state *o = run->optimizer;
    for (int v = 0; v < graph->n_values; v++)
        if (graph->values[v].data) pass_value(t, &graph->values[v], graph->arena);
    for (int i = 0; i < o->n_parameters; i++)
        for (int m = 0; m < o->n_memories; m++)
            pass(t, o->parameters[i].memory[m], (size_t)o->parameters[i].n * sizeof(float));
    pass_snapshot(t, run->ema, graph);
    pass_snapshot(t, run->best, graph);
    if (run->n_memory > 0) pass(t, run->memory, run->n_memory);
}

lac_status lac_checkpoint_save(const char *path, uint64_t hash, const lac_run_state *run,
                               const lac_progress *progress, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory for checkpoint '%s'", path);
    header head;
    memset(&head, 0, sizeof head);
    memcpy(head.magic, magic, sizeof magic);
    head.hash = hash;
    head.progress = *progress;
    tape count = {0};
    pass_run(&count, run); // neither counting nor writing changes anything
    size_t n = sizeof head + count.n;
    uint8_t *bytes = lac_arena_alloc(arena, n + sizeof(uint32_t));
    memcpy(bytes, &head, sizeof head);
    tape t = {.at = bytes + sizeof head, .end = bytes + n};
    pass_run(&t, run);
    uint32_t crc = lac_crc32(0, bytes, n);
    memcpy(bytes + n, &crc, sizeof crc);
    lac_status status = lac_file_write(path, bytes, n + sizeof crc, err);
    lac_arena_close(arena);
    return status;
}

static lac_status parse(const char *path, uint64_t hash, const lac_bytes *file, const lac_run_state *run,
                        lac_progress *progress, lac_error *err) {
    header head;
    uint32_t crc = 0;
    if (file->n < sizeof head + sizeof crc || memcmp(file->data, magic, sizeof magic) != 0)
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' is not a checkpoint (%zu bytes); remove it or choose another path",
                 path, file->n);
    memcpy(&crc, file->data + file->n - sizeof crc, sizeof crc);
    uint32_t found = lac_crc32(0, file->data, file->n - sizeof crc);
    if (crc != found)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "checkpoint '%s' is damaged: its CRC-32 is %08" PRIx32 ", its content has %08" PRIx32
                 "; remove it to start again",
                 path, crc, found);
    memcpy(&head, file->data, sizeof head);
    if (head.hash != hash)
        LAC_FAIL(err, LAC_E_USAGE,
                 "checkpoint '%s' belongs to another run (hash %016" PRIx64 ", this one has %016" PRIx64
                 "): other recipe, graph or data; remove it or choose another path",
                 path, head.hash, hash);
    tape t = {.at = file->data + sizeof head, .end = file->data + file->n - sizeof crc, .reading = true};
    pass_run(&t, run);
    if (t.short_of_data || t.at != t.end)
        LAC_FAIL(err, LAC_E_FORMAT, "checkpoint '%s' has %zu bytes, this run needs %zu; remove it", path,
                 file->n, sizeof head + t.n + sizeof crc);
    *progress = head.progress;
    return LAC_OK;
}

lac_status lac_checkpoint_load(const char *path, uint64_t hash, const lac_run_state *run,
                               lac_progress *progress, bool *found, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory for checkpoint '%s'", path);
    lac_bytes file = {0};
    lac_error own = {0};
    lac_status status = lac_file_read(path, arena, &file, &own);
    *found = status == LAC_OK;
    if (status == LAC_OK)
        status = parse(path, hash, &file, run, progress, err);
    else if (status == LAC_E_NOT_FOUND)
        status = LAC_OK;
    else if (err)
        *err = own;
    lac_arena_close(arena);
    return status;
}
