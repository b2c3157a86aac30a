#ifndef LAC_NAMES_H
#define LAC_NAMES_H

/// Names of the rows of the house's tables, as option values; NULL past the end.
const char *lac_names_nets(int i);
const char *lac_names_datasets(int i);
const char *lac_names_quantizers(int i);
const char *lac_names_ranges(int i);
const char *lac_names_sensitivities(int i);
const char *lac_names_pruners(int i);
const char *lac_names_devices(int i);
const char *lac_names_optimizers(int i);
const char *lac_names_schedules(int i);
const char *lac_names_precisions(int i);

#endif
