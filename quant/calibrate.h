#ifndef LAC_CALIBRATE_H
#define LAC_CALIBRATE_H

#include "sites.h"

/// Scale and zero point of every site of a float graph, from images of the training part.
///
/// The input's scale follows from the normalisation alone, so that codes equal pixels (one channel) or span
/// the pixels of all channels, whatever the config. The others follow config->act_range.
///
/// shape   scale, zero: one a site; those of a family are equal
/// memory  scale, zero and samples from arena
/// errors  those of lac_infer_visit
lac_status lac_calibrate(const lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                         const lac_quant_sites *sites, lac_arena *arena, float **scale, int **zero,
                         lac_error *err) LAC_MUST_CHECK;

#endif
