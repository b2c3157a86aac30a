#ifndef LAC_VECTOR_LIST_H
#define LAC_VECTOR_LIST_H

#include "plan.h"
#include "step_cost.h"

/// The list of a layer for the vector unit (docs/image-format.md, "Lists of the vector unit"): every word has
/// an entry for each slot, and the slots run through the output channels on their own.
typedef struct lac_vector_list {
    uint64_t *words;
    int n_words;
    int *header_at; ///< [N_OUT]: the header of a channel stands before this word; ascending
} lac_vector_list;

/// Whether a step is one that the vector unit can take: a dense convolution from one pixel to one pixel, for
/// one image.
bool lac_vector_fits(const lac_plan *plan, const lac_plan_step *step);

/// The list in the format that the step's record names: ENTRY_BITS, WEIGHT_BITS, MINOR, IN_BASE.
///
/// memory  from arena; items has room for lac_plan_positions
lac_vector_list lac_vector_list_make(const lac_plan *plan, const lac_plan_step *step, lac_list_item *items,
                                     lac_arena *arena);

/// List words between the headers of channels o and o + 1; o = -1: before the first.
static inline int lac_vector_run(const lac_vector_list *list, int n_out, int o) {
    int begin = o < 0 ? 0 : list->header_at[o], end = o + 1 < n_out ? list->header_at[o + 1] : list->n_words;
    return end - begin;
}

/// Program words of every channel, as lac_image_survey counts them.
void lac_vector_list_work(const lac_vector_list *list, int n_out, lac_channel_work *work);

#endif
