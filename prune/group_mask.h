#ifndef LAC_GROUP_MASK_H
#define LAC_GROUP_MASK_H

#include "sparse.h"

/// Masks in which groups of weights live or die as one.

/// Group of weight [o][i][k] of a layer with n_in inputs and n_k kernel places; *n_groups above all of them.
typedef size_t lac_group_rule(int64_t o, int64_t i, int64_t k, int64_t n_in, int64_t n_k);

/// Keeps the groups with the largest mean square until the weights that stay are as many as the density asks,
/// over all layers or layer by layer as s->share says.
///
/// exact   to one group a layer, or one in all
lac_status lac_mask_groups(lac_sparse *s, double density, lac_group_rule *rule,
                           lac_error *err) LAC_MUST_CHECK;

/// Group of every weight of a shape [O][I][kh][kw] or [O][I] into group [count]; returns how many groups.
size_t lac_groups_of(lac_shape shape, lac_group_rule *rule, size_t *group);

#endif
