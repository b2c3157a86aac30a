#ifndef LAC_LOWER_VIEW_H
#define LAC_LOWER_VIEW_H

#include "lowering.h"

/// How a float value lies in an integer tensor. Ops that only rearrange make no layer: they change the view,
/// and the layer that reads the value takes the view into its weights, where it costs no cycle.
///
/// A value of more rows and columns than its tensor is folded: `fold` of them are channels of one.
///
///   tensor channel of (c, y, x) = channel[(c * fold[0] + y % fold[0]) * fold[1] + x % fold[1]]
///   tensor pixel                = (y / fold[0], x / fold[1])
///
/// so that nearest upsampling, depth to space and transposed convolution are what they are in arithmetic:
/// ordinary convolutions on more channels, most of whose weights are zero.
struct lac_view {
    int tensor;         ///< -1: the value has no codes (yet)
    int n_channels;     ///< of the value
    int fold[2];        ///< y before x
    const int *channel; ///< [n_channels * fold[0] * fold[1]]; NULL: the index itself
    int pad[4];         ///< zeros around the value that are not in the tensor: top, left, bottom, right
};

enum { LAC_MOST_FOLD = 8 };

/// The view of a whole tensor.
lac_view lac_view_of(const lac_lowering *l, int tensor);

/// Rows (axis 0) or columns of the value, its padding included.
int lac_view_size(const lac_lowering *l, const lac_view *view, int axis);

/// True when the value is the tensor.
bool lac_view_is_plain(const lac_view *view);

/// View of a value, or an error that names the reader.
lac_status lac_lowering_view(const lac_lowering *l, const lac_node *reader, int value, lac_view *out,
                             lac_error *err) LAC_MUST_CHECK;

/// The same for readers that want channels in order and no padding: what differs is copied first.
lac_status lac_lowering_stored(lac_lowering *l, const lac_node *reader, int value, lac_view *out,
                               lac_error *err) LAC_MUST_CHECK;

/// Lowers SLICE, CHANNEL_SHUFFLE, UPSAMPLE, DEPTH_TO_SPACE or PAD: to a view, or circular padding to a layer.
///
/// errors  E_UNSUPPORTED: more than LAC_MOST_FOLD rows in one, circular padding of those; E_SHAPE: a circular
///         rim wider than the map
lac_status lac_lower_rearrange(lac_lowering *l, const lac_node *node, lac_error *err) LAC_MUST_CHECK;

/// A kernel over a value, as its layer says it: codes [n_out][n_in / groups][kernel y][kernel x], or for a
/// transposed one [n_in][n_out / groups][kernel y][kernel x].
typedef struct lac_view_kernel {
    lac_window window;
    bool transposed;
    int n_out, out_size[2]; ///< of the value that is made
} lac_view_kernel;

/// Takes a view into a kernel: codes become [n_out * fold_out][channels of the tensor / groups][..][..], and
/// the window one over the tensor. The value that is made is folded by fold_out.
///
/// memory  new codes from the lowering's arena
/// errors  E_UNSUPPORTED: sizes that do not divide by the folds; *fits is false, and nothing else changed,
/// when
///         weights that fall on one code add up to more than 8 bits: then the value must be stored
lac_status lac_view_expand(const lac_lowering *l, const lac_node *node, const lac_view *view,
                           const lac_view_kernel *kernel, lac_weight_codes *codes, lac_window *window,
                           int fold_out[2], bool *fits, lac_error *err) LAC_MUST_CHECK;

#endif
