#include "names.h"

#include "device.h"
#include "mixed.h"
#include "prune.h"
#include "quantize.h"

#include <stddef.h>

const char *lac_names_nets(int i) {
    return i < lac_n_nets() ? lac_net_row(i)->name : NULL;
}
const char *lac_names_datasets(int i) {
    return i < lac_n_datasets() ? lac_dataset_row(i)->name : NULL;
}
const char *lac_names_quantizers(int i) {
    return i < lac_n_quantizers() ? lac_quantizer_row(i)->name : NULL;
}
const char *lac_names_ranges(int i) {
    return lac_range_name(i);
}
const char *lac_names_sensitivities(int i) {
    return lac_sensitivity_name(i);
}
const char *lac_names_pruners(int i) {
    return i < lac_n_pruners() ? lac_pruner_row(i)->name : NULL;
}
const char *lac_names_devices(int i) {
    return i < lac_n_devices() ? lac_device_row(i)->name : NULL;
}

const char *lac_names_optimizers(int i) {
    static const char *const names[] = {[LAC_SGD] = "sgd", [LAC_ADAM] = "adam", [LAC_ADAMW] = "adamw", NULL};
    return names[i];
}

const char *lac_names_schedules(int i) {
    static const char *const names[] = {[LAC_COSINE] = "cosine",
                                        [LAC_CONSTANT] = "constant",
                                        [LAC_STEP] = "step",
                                        [LAC_ONE_CYCLE] = "one-cycle",
                                        NULL};
    return names[i];
}

const char *lac_names_precisions(int i) {
    static const char *const names[] = {"f32", "bf16", NULL};
    return names[i];
}
