#include "rearrange.h"

#include <assert.h>

bool lac_op_rearranges(lac_op op) {
    return op == LAC_OP_SLICE || op == LAC_OP_CHANNEL_SHUFFLE || op == LAC_OP_UPSAMPLE ||
           op == LAC_OP_DEPTH_TO_SPACE || op == LAC_OP_PAD;
}

// ---- shapes ---------------------------------------------------------------------------------------------

enum { SIDE_MOST = 1 << 20 };

static lac_status slice_shape(const lac_node *node, lac_shape x, lac_shape *out, lac_error *err) {
    const lac_rearrange_attr *a = &node->attr.move;
    if (a->begin < 0 || a->end <= a->begin || a->end > x.dim[1])
        LAC_FAIL(err, LAC_E_SHAPE, "slice '%s': takes channels %d to %d, the input has 0 to %lld", node->name,
                 a->begin, a->end - 1, (long long)x.dim[1] - 1);
    out->dim[1] = a->end - a->begin;
    return LAC_OK;
}

static lac_status shuffle_shape(const lac_node *node, lac_shape x, lac_error *err) {
    int groups = node->attr.move.groups;
    if (groups < 1 || x.dim[1] % groups)
        LAC_FAIL(err, LAC_E_SHAPE, "channel_shuffle '%s': %lld channels do not divide into %d groups",
                 node->name, (long long)x.dim[1], groups);
    return LAC_OK;
}

static lac_status upsample_shape(const lac_node *node, lac_shape x, lac_shape *out, lac_error *err) {
    for (int a = 0; a < 2; a++) {
        int factor = node->attr.move.factor[a];
        if (factor < 1 || x.dim[2 + a] > SIDE_MOST / factor)
            LAC_FAIL(err, LAC_E_SHAPE,
                     "upsample '%s': factor %d of axis %d over %lld pixels; use 1 to %d pixels out",
                     node->name, factor, a, (long long)x.dim[2 + a], SIDE_MOST);
        out->dim[2 + a] *= factor;
    }
    return LAC_OK;
}

static lac_status depth_to_space_shape(const lac_node *node, lac_shape x, lac_shape *out, lac_error *err) {
    int block = node->attr.move.block;
    if (block < 1 || block > 1024 || x.dim[1] % ((int64_t)block * block))
        LAC_FAIL(err, LAC_E_SHAPE, "depth_to_space '%s': %lld channels do not divide into blocks of %d x %d",
                 node->name, (long long)x.dim[1], block, block);
    out->dim[1] /= (int64_t)block * block;
    out->dim[2] *= block;
    out->dim[3] *= block;
    return LAC_OK;
}

static lac_status pad_shape(const lac_node *node, lac_shape x, lac_shape *out, lac_error *err) {
    const lac_rearrange_attr *m = &node->attr.move;
    for (int i = 0; i < 4; i++) {
        int64_t side = x.dim[2 + i % 2];
        if (m->pad[i] < 0 || m->pad[i] > SIDE_MOST || (m->circular && m->pad[i] > side))
            LAC_FAIL(err, LAC_E_SHAPE, "pad '%s': %d %spixels on a side of %lld; use 0 to %lld", node->name,
                     m->pad[i], m->circular ? "circular " : "", (long long)side,
                     m->circular ? (long long)side : (long long)SIDE_MOST);
        out->dim[2 + i % 2] += m->pad[i];
    }
    return LAC_OK;
}

lac_status lac_rearrange_shape(const lac_node *node, lac_shape x, lac_shape *out, lac_error *err) {
    lac_shape y = x;
    char text[96];
    bool flat = node->op == LAC_OP_SLICE || node->op == LAC_OP_CHANNEL_SHUFFLE;
    if (x.n_dims != 4 && !(flat && x.n_dims == 2))
        LAC_FAIL(err, LAC_E_SHAPE, "%s '%s': input is %s, expected N x C x H x W", lac_op_name(node->op),
                 node->name, lac_shape_print(x, text));
    if (node->op == LAC_OP_SLICE) LAC_TRY(slice_shape(node, x, &y, err));
    if (node->op == LAC_OP_CHANNEL_SHUFFLE) LAC_TRY(shuffle_shape(node, x, err));
    if (node->op == LAC_OP_UPSAMPLE) LAC_TRY(upsample_shape(node, x, &y, err));
    if (node->op == LAC_OP_DEPTH_TO_SPACE) LAC_TRY(depth_to_space_shape(node, x, &y, err));
    if (node->op == LAC_OP_PAD) LAC_TRY(pad_shape(node, x, &y, err));
    *out = y;
    return LAC_OK;
}

// ---- sources --------------------------------------------------------------------------------------------

static lac_place depth_to_space_source(const lac_rearrange_attr *m, int n_out, lac_place to) {
    int b = m->block, corner = to.row % b * b + to.column % b;
    int channel = m->by_column ? to.channel * b * b + corner : corner * n_out + to.channel;
    return (lac_place){channel, to.row / b, to.column / b};
}

static lac_place pad_source(const lac_rearrange_attr *m, lac_shape x, lac_place to) {
    int h = (int)x.dim[2], w = (int)x.dim[3], row = to.row - m->pad[0], column = to.column - m->pad[1];
    bool inside = row >= 0 && row < h && column >= 0 && column < w;
    if (!inside && !m->circular) return (lac_place){-1, 0, 0};
    return (lac_place){to.channel, (row + h) % h, (column + w) % w};
}

lac_place lac_rearrange_source(const lac_node *node, lac_shape x, lac_place to) {
    const lac_rearrange_attr *m = &node->attr.move;
    int n = (int)x.dim[1];
    switch (node->op) {
    case LAC_OP_SLICE:
        to.channel += m->begin;
        return to;
    case LAC_OP_CHANNEL_SHUFFLE:
        to.channel = to.channel % m->groups * (n / m->groups) + to.channel / m->groups;
        return to;
    case LAC_OP_UPSAMPLE:
        return (lac_place){to.channel, to.row / m->factor[0], to.column / m->factor[1]};
    case LAC_OP_DEPTH_TO_SPACE:
        return depth_to_space_source(m, n / (m->block * m->block), to);
    default:
        assert(node->op == LAC_OP_PAD);
        return pad_source(m, x, to);
    }
}
