#ifndef LAC_PREPARE_H
#define LAC_PREPARE_H

#include "quantize.h"

/// What all methods share: a tidy float graph gets its quantizers where sites.h puts them, with calibrated
/// scales; weights that are zero are masked, so that they stay pruned.
///
/// errors  those of lac_quant_sites_plan, lac_calibrate, lac_quant_sites_insert
lac_status lac_quant_prepare(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                             lac_error *err) LAC_MUST_CHECK;

/// Writes the method and widths into the metadata: lacuna.quantizer.
void lac_quant_note(lac_graph *graph, const char *method, const lac_quant_config *config);

/// Is this a layer with weights?
bool lac_has_weights(const lac_node *node);

/// Node of a name, -1 for none.
int lac_node_named(const lac_graph *graph, const char *name);

#endif
