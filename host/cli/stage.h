#ifndef LAC_STAGE_H
#define LAC_STAGE_H

#include "command.h"
#include "doc.h"
#include "int_graph.h"
#include "train.h"

/// What the stages that make a model share: their options, reading and writing ONNX, the recipe and results
/// that travel in the file under lacuna.*, and the accuracies at the end.

typedef struct lac_stage_args {
    const char *data, *output;
    lac_recipe recipe;
    int validation; // images to hold out; below 0: as the data set does
    bool no_checkpoint;
} lac_stage_args;

_Static_assert(sizeof(lac_optimizer) == sizeof(int) && sizeof(lac_schedule) == sizeof(int) &&
                   sizeof(lac_precision) == sizeof(int),
               "options store table positions as int");

#define LAC_STAGE_FILES(args_type)                                                                           \
    {.name = "data",                                                                                         \
     .kind = LAC_OPT_TEXT,                                                                                   \
     .required = true,                                                                                       \
     .offset = offsetof(args_type, stage.data),                                                              \
     .value = "NAME[:FOLDER]",                                                                               \
     .group = "Files",                                                                                       \
     .help = "data set to train and measure on ('lacuna list data')"},                                       \
    {                                                                                                        \
        .name = "output", .letter = 'o', .kind = LAC_OPT_TEXT, .required = true, .unsaved = true,            \
        .offset = offsetof(args_type, stage.output), .value = "FILE", .group = "Files",                      \
        .help = "ONNX file to write"                                                                         \
    }

#define LAC_RECIPE_REAL(args_type, member, the_name, low, high, fallback_text, help_text)                    \
    {                                                                                                        \
        .name = the_name, .kind = LAC_OPT_FLOAT, .offset = offsetof(args_type, stage.recipe.member),         \
        .lowest = low, .highest = high, .fallback = fallback_text, .group = "Recipe", .help = help_text      \
    }

/// The training recipe; epochs, learning rate and decay have their defaults by stage.
#define LAC_RECIPE_OPTIONS(args_type, epochs_text, lr_text)                                                  \
    LAC_RECIPE_REAL(args_type, epochs, "epochs", 0.01, 10000, epochs_text,                                   \
                    "passes over the training images"),                                                      \
        {.name = "batch",                                                                                    \
         .kind = LAC_OPT_INT,                                                                                \
         .offset = offsetof(args_type, stage.recipe.batch),                                                  \
         .lowest = 1,                                                                                        \
         .highest = 4096,                                                                                    \
         .fallback = "128",                                                                                  \
         .group = "Recipe",                                                                                  \
         .help = "images a step"},                                                                           \
        {.name = "optimizer",                                                                                \
         .kind = LAC_OPT_INDEX,                                                                              \
         .offset = offsetof(args_type, stage.recipe.optimizer),                                              \
         .fallback = "sgd",                                                                                  \
         .names = lac_names_optimizers,                                                                      \
         .value = "NAME",                                                                                    \
         .group = "Recipe",                                                                                  \
         .help = "sgd has Nesterov momentum 0.9"},                                                           \
        LAC_RECIPE_REAL(args_type, lr, "lr", 1e-7, 10, lr_text, "peak learning rate"),                       \
        {.name = "schedule",                                                                                 \
         .kind = LAC_OPT_INDEX,                                                                              \
         .offset = offsetof(args_type, stage.recipe.schedule),                                               \
         .fallback = "cosine",                                                                               \
         .names = lac_names_schedules,                                                                       \
         .value = "NAME",                                                                                    \
         .group = "Recipe",                                                                                  \
         .help = "learning rate over the steps"},                                                            \
        LAC_RECIPE_REAL(args_type, warmup_epochs, "warmup", 0, 1000, "0", "epochs of linear warm-up"),       \
        LAC_RECIPE_REAL(args_type, weight_decay, "weight-decay", 0, 1, "0.0005",                             \
                        "decay of convolution and linear weights"),                                          \
        LAC_RECIPE_REAL(args_type, label_smoothing, "label-smoothing", 0, 0.9, "0",                          \
                        "share of the label spread over all classes"),                                       \
        {.name = "crop",                                                                                     \
         .kind = LAC_OPT_INT,                                                                                \
         .offset = offsetof(args_type, stage.recipe.crop_pad),                                               \
         .lowest = 0,                                                                                        \
         .highest = 16,                                                                                      \
         .fallback = "0",                                                                                    \
         .group = "Recipe",                                                                                  \
         .help = "pad so many pixels and crop back at random"},                                              \
        {.name = "flip",                                                                                     \
         .kind = LAC_OPT_FLAG,                                                                               \
         .offset = offsetof(args_type, stage.recipe.flip),                                                   \
         .group = "Recipe",                                                                                  \
         .help = "mirror half of the images left to right"},                                                 \
        {.name = "cutout",                                                                                   \
         .kind = LAC_OPT_INT,                                                                                \
         .offset = offsetof(args_type, stage.recipe.cutout),                                                 \
         .lowest = 0,                                                                                        \
         .highest = 64,                                                                                      \
         .fallback = "0",                                                                                    \
         .group = "Recipe",                                                                                  \
         .help = "side of a square that is set to the mean"},                                                \
        LAC_RECIPE_REAL(args_type, erase, "erase", 0, 1, "0",                                                \
                        "share of images in which a rectangle becomes noise"),                               \
        LAC_RECIPE_REAL(args_type, mixup, "mixup", 0, 10, "0",                                               \
                        "blend images in pairs, by Beta(mixup, mixup)"),                                     \
        {.name = "validation",                                                                               \
         .kind = LAC_OPT_INT,                                                                                \
         .offset = offsetof(args_type, stage.validation),                                                    \
         .lowest = -1,                                                                                       \
         .highest = 1e9,                                                                                     \
         .fallback = "-1",                                                                                   \
         .shown = "as before, or 5000",                                                                      \
         .group = "Recipe",                                                                                  \
         .help = "images held out, the last of the training set; 0 trains on all"},                          \
        {.name = "precision",                                                                                \
         .kind = LAC_OPT_INDEX,                                                                              \
         .offset = offsetof(args_type, stage.recipe.precision),                                              \
         .fallback = "f32",                                                                                  \
         .names = lac_names_precisions,                                                                      \
         .value = "NAME",                                                                                    \
         .group = "Recipe",                                                                                  \
         .help = "of activations and gradients: f32, or bf16 on a processor with AVX-512; parameters stay "  \
                 "float"},                                                                                   \
        {.name = "seed",                                                                                     \
         .kind = LAC_OPT_U64,                                                                                \
         .offset = offsetof(args_type, stage.recipe.seed),                                                   \
         .highest = LAC_OPTION_ANY_U64,                                                                      \
         .fallback = "1",                                                                                    \
         .group = "Recipe",                                                                                  \
         .help = "the same seed gives the same file on one machine"},                                        \
        {.name = "checkpoint",                                                                               \
         .kind = LAC_OPT_TEXT,                                                                               \
         .unsaved = true,                                                                                    \
         .offset = offsetof(args_type, stage.recipe.checkpoint),                                             \
         .shown = "OUTPUT.checkpoint",                                                                       \
         .value = "FILE",                                                                                    \
         .group = "Interruption",                                                                            \
         .help = "where the state goes on Ctrl-C; the same command resumes from it"},                        \
        {.name = "checkpoint-every",                                                                         \
         .kind = LAC_OPT_FLOAT,                                                                              \
         .unsaved = true,                                                                                    \
         .offset = offsetof(args_type, stage.recipe.checkpoint_s),                                           \
         .lowest = 0.1,                                                                                      \
         .highest = 86400,                                                                                   \
         .fallback = "30",                                                                                   \
         .value = "SECONDS",                                                                                 \
         .group = "Interruption",                                                                            \
         .help = "also write it along the way, against power cuts"},                                         \
        {.name = "no-checkpoint",                                                                            \
         .kind = LAC_OPT_FLAG,                                                                               \
         .unsaved = true,                                                                                    \
         .offset = offsetof(args_type, stage.no_checkpoint),                                                 \
         .group = "Interruption",                                                                            \
         .help = "keep no state"},                                                                           \
    {                                                                                                        \
        .name = "metrics", .kind = LAC_OPT_TEXT, .unsaved = true,                                            \
        .offset = offsetof(args_type, stage.recipe.metrics), .value = "FILE", .group = "Output",             \
        .help = "write loss and accuracy along the way as JSON lines"                                        \
    }

/// Fails early when a file could not be written at the end; leaves nothing behind.
lac_status lac_stage_check_output(const char *path, lac_error *err) LAC_MUST_CHECK;

/// Opens the data set and settles the checkpoint's name; the output was checked.
lac_status lac_stage_begin(lac_cli *cli, const lac_stage_args *args, lac_dataset *data, lac_recipe *recipe,
                           lac_error *err) LAC_MUST_CHECK;

/// Reads an ONNX file, infers its shapes and checks it.
lac_status lac_stage_read(lac_cli *cli, const char *path, lac_graph **out, lac_error *err) LAC_MUST_CHECK;

/// Settles the validation part: --validation, or else the fewest images that a stage in the making of `graph`
/// (NULL: none) held out of the same data, so that no image validates that was trained on, or else as the
/// data set does.
lac_status lac_stage_hold_out(const lac_stage_args *args, const lac_graph *graph, lac_dataset *data,
                              lac_error *err) LAC_MUST_CHECK;

/// Checksum of the saved options of a command, for lac_recipe.settings.
uint32_t lac_stage_settings(lac_cli *cli, const lac_command *command, const void *args);

/// Puts the saved options of a stage, its data and the command line into the graph's metadata.
void lac_stage_record(lac_cli *cli, lac_graph *graph, const lac_command *command, const void *args,
                      const lac_dataset *data);
/// One result: lacuna.<stage>.<key>.
void lac_stage_record_number(lac_cli *cli, lac_graph *graph, const char *stage, const char *key,
                             double value);

/// Validation and test accuracy of the float (or fake-quantized) graph: into the doc, and the metadata.
lac_status lac_stage_accuracy(lac_cli *cli, lac_graph *graph, const lac_dataset *data, const char *stage,
                              lac_doc *doc, lac_error *err) LAC_MUST_CHECK;

/// Writes the graph and prints the doc: on standard error when the file itself goes to standard output.
/// measured is how the measuring before it went: a model whose measuring was interrupted is written all the
/// same.
lac_status lac_stage_finish(lac_cli *cli, const lac_graph *graph, const char *output, lac_status measured,
                            lac_doc *doc, lac_error *err) LAC_MUST_CHECK;

/// Where the doc of a command goes whose file goes to `output`.
FILE *lac_stage_stream(const char *output);

/// Share of images of a split that the integer graph gets right, on all cores, by the fast executor.
lac_status lac_int_accuracy(lac_cli *cli, const lac_int_graph *graph, const lac_split *split,
                            double *accuracy, lac_error *err) LAC_MUST_CHECK;

/// Weights of convolutions and linear layers of a float graph, all or those that are not zero.
uint64_t lac_graph_n_weights(const lac_graph *graph, bool nonzero_only);

/// The same over an integer graph, and its multiply-accumulates.
uint64_t lac_int_graph_n_weights(const lac_int_graph *graph, bool nonzero_only);
uint64_t lac_int_graph_macs(const lac_int_graph *graph, bool nonzero_only);

#endif
