#include "cosim_encode.h"

#include "cosim_vector.h"

#include "arena.h"
#include "lac_contract.h"

#include <assert.h>
#include <stdlib.h>

enum { MAX_WORDS = 1 << 20 };

/// Entries of one channel, packed from bit 0 of the next word up.
typedef struct packer {
    cosim_program *program;
    int used_bits; ///< of the last word; 64: begin a new one
    int entry_bits, weight_bits, most_entry, most_skip;
    int position;
} packer;

static void put(packer *p, int gap, int weight) {
    if (p->used_bits == 64) {
        assert(p->program->n < MAX_WORDS);
        p->program->n++;
        p->used_bits = 0;
    }
    uint64_t low = (uint64_t)weight & ((1u << p->weight_bits) - 1);
    uint64_t entry = low | (uint64_t)gap << p->weight_bits;
    p->program->words[p->program->n - 1] |= entry << p->used_bits;
    p->used_bits += p->entry_bits;
}

static void put_weight(packer *p, int position, int weight) {
    while (position - p->position > p->most_entry) {
        int left = position - p->position - 1;
        int step = left < p->most_skip ? left : p->most_skip;
        put(p, step - 1, 0);
        p->position += step;
    }
    put(p, position - p->position - 1, weight);
    p->position = position;
}

static int weight_field(const cosim_net *net, const cosim_layer *l) {
    return net->engine.lane == 1 && l->order != 3 ? 3 : l->weight_bits;
}

static packer start_channel(cosim_program *program, const cosim_net *net, const cosim_layer *l, int minor) {
    int codes = 1 << (l->entry_bits - weight_field(net, l));
    packer p = {.program = program, .used_bits = 64, .position = -1};
    p.entry_bits = l->entry_bits;
    p.weight_bits = weight_field(net, l);
    int reach = 3 * minor;
    p.most_entry = codes < reach ? codes : reach;
    p.most_skip = codes - 1 < reach ? codes - 1 : reach; // the widest gap with weight 0 is the end
    return p;
}

static int minor_of(const cosim_net *net, const cosim_layer *l) {
    if (l->order == 2) return net->rows * net->cols;
    if (l->order == 3) return cosim_vector_rows(net, l);
    return l->order == 1 ? l->n_taps : net->tensors[l->in].c / l->groups;
}

static void encode_channel(const cosim_net *net, const cosim_layer *l, int o, cosim_program *program) {
    int minor = minor_of(net, l), channels = net->tensors[l->in].c / l->groups;
    int per_channel = l->order == 2 ? l->n_major * net->rows * net->cols : channels * l->n_taps;
    const int8_t *weights = &l->weights[o * per_channel];
    packer p = start_channel(program, net, l, minor);
    bool digits = net->engine.lane == 1;
    for (int plane = digits ? cosim_planes(weights, per_channel) - 1 : 0, first = plane; plane >= 0;
         plane--) {
        bool is_empty = true;
        for (int i = 0; digits && i < per_channel; i++) is_empty &= cosim_digit(weights[i], plane) == 0;
        if (plane != first) {
            put(&p, digits && is_empty, -4); // a mark, with an entry of its own when the plane is empty
            p.position = -1;
        }
        for (int n = 0; n < per_channel; n++) {
            int at = l->order == 0 ? n % minor * l->n_taps + n / minor : n;
            int w = digits ? cosim_digit(weights[at], plane) : weights[at];
            if (w != 0) put_weight(&p, n, w);
        }
    }
    put(&p, (1 << (l->entry_bits - weight_field(net, l))) - 1, 0);
}

static void encode_descriptor(const cosim_net *net, const cosim_layer *l, int id, uint64_t *d) {
    const cosim_tensor *in = &net->tensors[l->in];
    LAC_FIELD_SET(d, LAYER_KIND, 1);
    LAC_FIELD_SET(d, LAYER_ACT_SIGNED, in->is_signed);
    LAC_FIELD_SET(d, LAYER_REDUCE, l->reduce);
    LAC_FIELD_SET(d, LAYER_RAW, l->raw);
    LAC_FIELD_SET(d, LAYER_ORDER, l->order);
    LAC_FIELD_SET(d, LAYER_ENTRY_BITS, l->entry_bits == 4 ? 0 : l->entry_bits == 8 ? 1 : 2);
    LAC_FIELD_SET(d, LAYER_WEIGHT_BITS, weight_field(net, l));
    LAC_FIELD_SET(d, LAYER_PAD_CODE, l->pad_code);
    LAC_FIELD_SET(d, LAYER_N_TAPS, l->n_taps);
    LAC_FIELD_SET(d, LAYER_ID, id);
    LAC_FIELD_SET(d, LAYER_IN_BASE, in->base);
    LAC_FIELD_SET(d, LAYER_N_OUT, l->c_out);
    LAC_FIELD_SET(d, LAYER_MINOR, minor_of(net, l));
    LAC_FIELD_SET(d, LAYER_IN_TILE_H, in->tile_h);
    LAC_FIELD_SET(d, LAYER_IN_TILE_W, in->tile_w);
    LAC_FIELD_SET(d, LAYER_FULL_ROWS, in->h / in->tile_h);
    LAC_FIELD_SET(d, LAYER_REM_ROWS, in->h % in->tile_h);
    LAC_FIELD_SET(d, LAYER_FULL_COLS, in->w / in->tile_w);
    LAC_FIELD_SET(d, LAYER_REM_COLS, in->w % in->tile_w);
    LAC_FIELD_SET(d, LAYER_STRIDE_Y, l->stride_y);
    LAC_FIELD_SET(d, LAYER_STRIDE_X, l->stride_x);
    LAC_FIELD_SET(d, LAYER_IN_CHANNEL_WORDS, in->tile_h * in->tile_w);
    LAC_FIELD_SET(d, LAYER_OUT_TILE_H, l->out_tile_h);
    LAC_FIELD_SET(d, LAYER_OUT_TILE_W, l->out_tile_w);
    LAC_FIELD_SET(d, LAYER_POOL_H, l->pool_h);
    LAC_FIELD_SET(d, LAYER_POOL_W, l->pool_w);
    LAC_FIELD_SET(d, LAYER_POOL_STRIDE_Y, l->pool_stride_y);
    LAC_FIELD_SET(d, LAYER_POOL_STRIDE_X, l->pool_stride_x);
    LAC_FIELD_SET(d, LAYER_OUT_CHANNEL_WORDS, l->out_tile_h * l->out_tile_w);
    LAC_FIELD_SET(d, LAYER_LO, l->lo);
    LAC_FIELD_SET(d, LAYER_HI, l->hi);
    LAC_FIELD_SET(d, LAYER_OUT_SIGNED, l->out_signed);
    LAC_FIELD_SET(d, LAYER_ZERO, l->zero);
    LAC_FIELD_SET(d, LAYER_SPLIT_Y, net->split_y);
    LAC_FIELD_SET(d, LAYER_SPLIT_X, net->split_x);
    LAC_FIELD_SET(d, LAYER_STREAMED, l->streamed);
    if (l->out >= 0) LAC_FIELD_SET(d, LAYER_OUT_BASE, net->tensors[l->out].base);
}

static void encode_taps(const cosim_net *net, const cosim_layer *l, cosim_program *program) {
    for (int t = 0; t < l->n_taps; t++) {
        uint64_t tap[1] = {0};
        LAC_FIELD_SET(tap, TAP_DY, l->taps[t].dy);
        LAC_FIELD_SET(tap, TAP_DX, l->taps[t].dx);
        LAC_FIELD_SET(tap, TAP_OFFSET, net->tensors[l->taps[t].tensor].base - net->tensors[l->in].base);
        if (t % 2 == 0) program->n++;
        program->words[program->n - 1] |= tap[0] << (t % 2 * 32);
    }
}

void cosim_encode(const cosim_net *net, lac_arena *arena, cosim_program *out) {
    *out = (cosim_program){.words = LAC_NEW_ARRAY(arena, uint64_t, MAX_WORDS)};
    for (int i = 0; i < net->n_layers; i++) {
        const cosim_layer *l = &net->layers[i];
        encode_descriptor(net, l, i, out->words + out->n);
        out->n += LAC_LAYER_WORDS;
        encode_taps(net, l, out);
        if (l->order == 3) cosim_encode_vector(net, l, i, out);
        for (int o = 0; l->order != 3 && o < l->c_out; o++) {
            uint64_t *header = out->words + out->n++;
            LAC_FIELD_SET(header, CHANNEL_BIAS, l->bias[o]);
            LAC_FIELD_SET(header, CHANNEL_M, l->m[o]);
            LAC_FIELD_SET(header, CHANNEL_S, l->s[o]);
            LAC_FIELD_SET(header, CHANNEL_NEXT_GROUP, o > 0 && o % (l->c_out / l->groups) == 0);
            LAC_FIELD_SET(header, CHANNEL_RUN, l->streamed ? (int64_t)l->n_pixels - 1 : 0);
            for (uint64_t k = 0; k < (l->streamed ? l->n_pixels : 1); k++) encode_channel(net, l, o, out);
        }
    }
    LAC_FIELD_SET(out->words + out->n++, LAYER_KIND, 2);
}
