#ifndef LAC_WORKLOAD_H
#define LAC_WORKLOAD_H

#include "command.h"
#include "image.h"
#include "stage.h"
#include "verify.h"

/// What run and verify share: a program image, and the images to put through it.

typedef struct lac_workload_args {
    const char *image, *data, *platform, *binary;
    int split, limit, threads, random;
    uint64_t stalls, seed;
} lac_workload_args;

typedef struct lac_workload {
    lac_image *image;
    const char *data;               ///< what the pixels are, for people
    const uint8_t *pixels, *labels; ///< labels NULL for random images
    uint32_t n_images;
} lac_workload;

const char *lac_names_splits(int i);

#define LAC_WORKLOAD_OPTIONS(args_type)                                                                      \
    {.name = "IMAGE",                                                                                        \
     .kind = LAC_OPT_TEXT,                                                                                   \
     .operand = true,                                                                                        \
     .offset = offsetof(args_type, workload.image),                                                          \
     .value = "FILE",                                                                                        \
     .group = "Files",                                                                                       \
     .help = "program image (.lac)"},                                                                        \
        {.name = "data",                                                                                     \
         .kind = LAC_OPT_TEXT,                                                                               \
         .offset = offsetof(args_type, workload.data),                                                       \
         .shown = "what the model was made with",                                                            \
         .value = "NAME[:FOLDER]",                                                                           \
         .group = "Files",                                                                                   \
         .help = "data set to take images from ('lacuna list data')"},                                       \
        {.name = "split",                                                                                    \
         .kind = LAC_OPT_INDEX,                                                                              \
         .offset = offsetof(args_type, workload.split),                                                      \
         .fallback = "test",                                                                                 \
         .names = lac_names_splits,                                                                          \
         .value = "NAME",                                                                                    \
         .group = "Files",                                                                                   \
         .help = "part of it"},                                                                              \
        {.name = "limit",                                                                                    \
         .letter = 'n',                                                                                      \
         .kind = LAC_OPT_INT,                                                                                \
         .offset = offsetof(args_type, workload.limit),                                                      \
         .lowest = 0,                                                                                        \
         .highest = 1e9,                                                                                     \
         .fallback = "0",                                                                                    \
         .group = "Files",                                                                                   \
         .help = "first images only; 0 is all"},                                                             \
        {.name = "random",                                                                                   \
         .kind = LAC_OPT_INT,                                                                                \
         .offset = offsetof(args_type, workload.random),                                                     \
         .lowest = 0,                                                                                        \
         .highest = 1000000,                                                                                 \
         .fallback = "0",                                                                                    \
         .group = "Files",                                                                                   \
         .help = "so many images of random pixels, in place of a data set"},                                 \
        {.name = "seed",                                                                                     \
         .kind = LAC_OPT_U64,                                                                                \
         .offset = offsetof(args_type, workload.seed),                                                       \
         .highest = LAC_OPTION_ANY_U64,                                                                      \
         .fallback = "1",                                                                                    \
         .group = "Files",                                                                                   \
         .help = "of the random pixels"},                                                                    \
        {.name = "threads",                                                                                  \
         .letter = 't',                                                                                      \
         .kind = LAC_OPT_INT,                                                                                \
         .offset = offsetof(args_type, workload.threads),                                                    \
         .lowest = 0,                                                                                        \
         .highest = 256,                                                                                     \
         .fallback = "0",                                                                                    \
         .group = "Running",                                                                                 \
         .help = "devices at work side by side; 0 is one a core"},                                           \
        {.name = "platform",                                                                                 \
         .kind = LAC_OPT_TEXT,                                                                               \
         .offset = offsetof(args_type, workload.platform),                                                   \
         .shown = "the first device there is",                                                               \
         .value = "NAME[:N]",                                                                                \
         .group = "Running",                                                                                 \
         .help = "opencl: part of the platform's name, and number of its device ('lacuna list platforms')"}, \
        {.name = "xclbin",                                                                                   \
         .kind = LAC_OPT_TEXT,                                                                               \
         .offset = offsetof(args_type, workload.binary),                                                     \
         .value = "FILE",                                                                                    \
         .group = "Running",                                                                                 \
         .help = "opencl: kernel for a card of Xilinx"},                                                     \
    {                                                                                                        \
        .name = "stalls", .kind = LAC_OPT_U64, .offset = offsetof(args_type, workload.stalls),               \
        .highest = LAC_OPTION_ANY_U64, .fallback = "0", .value = "SEED", .group = "Running",                 \
        .help = "rtl: the program stream and the output stall at random; 0 is never"                         \
    }

/// Reads the program image and the images.
///
/// errors  as lac_image_read and lac_dataset_open; E_SHAPE when they do not fit; E_USAGE without a data set
lac_status lac_workload_open(lac_cli *cli, const lac_workload_args *args, lac_workload *out,
                             lac_error *err) LAC_MUST_CHECK;

/// The fields of a verify config that the workload decides.
void lac_workload_fill(const lac_workload_args *args, const lac_workload *workload,
                       lac_verify_config *config);

#endif
