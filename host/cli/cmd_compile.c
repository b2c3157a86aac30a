#include "file.h"
#include "image_doc.h"
#include "normalization.h"
#include "quantize.h"
#include "results.h"
#include "stage.h"

#include <string.h>

// The limits and defaults are those of the engine's own table.
#define LAC_PARAM(name, member, fallback, low, high, unit, doc)                                              \
    enum { name##_LOWEST = low, name##_HIGHEST = high };                                                     \
    static const char name##_FALLBACK[] = #fallback;
#include "engine.def"
#undef LAC_PARAM

typedef struct compile_args {
    lac_common_args common;
    const char *input, *output, *data;
    bool report;
    int n_images;
    lac_engine_config engine;
} compile_args;

_Static_assert(offsetof(lac_engine_config, mesh_y) == offsetof(lac_engine_config, mesh_x) + sizeof(int),
               "--mesh fills both");

#define ENGINE_OPTION(the_name, member, PARAM, the_value, the_help)                                          \
    {                                                                                                        \
        .name = the_name, .kind = LAC_OPT_INT, .offset = offsetof(compile_args, engine.member),              \
        .lowest = PARAM##_LOWEST, .highest = PARAM##_HIGHEST, .fallback = PARAM##_FALLBACK,                  \
        .value = the_value, .group = "Engine", .help = the_help                                              \
    }

static const char *lane_names(int i) {
    static const char *const names[] = {
        [LAC_LANE_MUL] = "mul", [LAC_LANE_DIGIT] = "digit", [LAC_LANE_LOGIC] = "logic"};
    return i < (int)(sizeof names / sizeof names[0]) ? names[i] : NULL;
}

static const lac_option options[] = {
    {.name = "MODEL",
     .kind = LAC_OPT_TEXT,
     .operand = true,
     .offset = offsetof(compile_args, input),
     .value = "FILE",
     .group = "Files",
     .help = "quantized ONNX file to read"},
    {.name = "output",
     .letter = 'o',
     .kind = LAC_OPT_TEXT,
     .required = true,
     .offset = offsetof(compile_args, output),
     .value = "FILE",
     .group = "Files",
     .help = "program image (.lac) to write"},
    {.name = "data",
     .kind = LAC_OPT_TEXT,
     .offset = offsetof(compile_args, data),
     .value = "NAME[:FOLDER]",
     .group = "Files",
     .help = "take the pixels' mean and deviation from this data set, not from the model"},
    {.name = "mesh",
     .kind = LAC_OPT_GRID,
     .offset = offsetof(compile_args, engine.mesh_x),
     .lowest = MESH_X_LOWEST,
     .highest = MESH_X_HIGHEST,
     .shown = "7x7",
     .value = "XxY",
     .group = "Engine",
     .help = "lanes along a row of the mesh, and rows"},
    ENGINE_OPTION("drain", drain, DRAIN, "LANES", "lanes requantised a cycle; divides the number of lanes"),
    ENGINE_OPTION("acc-bits", acc_bits, ACC_BITS, "BITS", "accumulator of a lane"),
    ENGINE_OPTION("act-words", act_words, ACT_WORDS, "WORDS", "activation memory, one code a lane each"),
    {.name = "lane",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(compile_args, engine.lane),
     .names = lane_names,
     .fallback = "mul",
     .value = "KIND",
     .group = "Engine",
     .help = "what a lane does with a weight: multiply in a DSP block or in logic, or add its digits"},
    ENGINE_OPTION("act-bits", act_bits, ACT_BITS, "BITS", "widest activation code"),
    ENGINE_OPTION("list-words", list_words, LIST_WORDS, "ENTRIES", "decoded weight entries held for replay"),
    ENGINE_OPTION("vector", vector, VECTOR, "N",
                  "multipliers of the vector unit, which fully connected layers run on: 0, 4, 8 or 16"),
    ENGINE_OPTION("table", table, TABLE, "0|1",
                  "activations (sigmoid, tanh, SiLU ...) by table in the drain"),
    ENGINE_OPTION("scale", scale, SCALE, "0|1|2",
                  "a map times factors, one a channel (squeeze and excite); 2: or one a pixel"),
    {.name = "images",
     .kind = LAC_OPT_INT,
     .offset = offsetof(compile_args, n_images),
     .lowest = 0,
     .highest = 8,
     .fallback = "1",
     .value = "N",
     .group = "Engine",
     .help = "images that share the mesh in one run: 1, 2, 4 or 8; 0 takes what is fastest an image"},
    {.name = "report",
     .letter = 'r',
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(compile_args, report),
     .group = "Output",
     .help = "print what every layer takes, step by step, and the area of the engine"},
    LAC_COMMON_OPTIONS(compile_args),
};

static lac_status normalization(lac_cli *cli, const compile_args *args, const lac_graph *graph,
                                lac_dataset *out, lac_error *err) {
    if (args->data) return lac_dataset_open(args->data, cli->arena, out, err);
    lac_status status = lac_normalization_load(graph, out, err);
    return status == LAC_OK ? status : lac_fail_in(err, status, args->input);
}

/// What the model's file says about itself goes into the image's too.
static void copy_meta(lac_cli *cli, lac_image *image, const lac_graph *graph) {
    lac_meta *meta = LAC_NEW_ARRAY(cli->arena, lac_meta, image->n_meta + graph->n_meta + 1);
    int n = 0;
    for (int i = 0; i < image->n_meta; i++) meta[n++] = image->meta[i];
    for (int i = 0; i < graph->n_meta; i++)
        if (strncmp(graph->meta[i].key, "lacuna.", 7) == 0) meta[n++] = graph->meta[i];
    meta[n++] = (lac_meta){"lacuna.compile.command", cli->line};
    image->meta = meta;
    image->n_meta = n;
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const compile_args *args = given;
    lac_graph *graph;
    lac_dataset data;
    lac_int_graph *integers;
    lac_image *image;
    lac_engine_config engine = args->engine;
    lac_engine_config fallback = lac_engine_default();
    if (!engine.mesh_x) engine.mesh_x = fallback.mesh_x, engine.mesh_y = fallback.mesh_y;
    LAC_TRY(lac_engine_check(&engine, err));
    LAC_TRY(lac_stage_check_output(args->output, err));
    LAC_TRY(lac_stage_read(cli, args->input, &graph, err));
    LAC_TRY(normalization(cli, args, graph, &data, err));
    LAC_TRY(lac_lower(graph, &data, cli->arena, &integers, err));
    LAC_TRY(lac_compile_batch(integers, &engine, args->n_images, cli->arena, &image, err));
    copy_meta(cli, image, graph);

    uint8_t *bytes;
    size_t n_bytes;
    LAC_TRY(lac_image_serialize(image, cli->arena, &bytes, &n_bytes, err));
    lac_doc *doc = lac_doc_open(cli->arena);
    lac_image_describe(doc, image, n_bytes);
    if (args->report || cli->common.json) lac_image_describe_steps(doc, image, cli->arena);
    lac_doc_text(doc, "output", "written", "%s", args->output);
    lac_status status = lac_file_write(args->output, bytes, n_bytes, err);
    if (status == LAC_OK) status = lac_results_print(cli, doc, lac_stage_stream(args->output), err);
    lac_doc_close(doc);
    return status;
}

const lac_command lac_cmd_compile = {
    .name = "compile",
    .summary = "turn a quantized model into a program image for an engine",
    .usage = "compile MODEL -o FILE [options]",
    .examples = "lacuna compile int.onnx -o model.lac --report\n"
                "lacuna compile int.onnx --mesh 4x4 --drain 4 --act-words 8192 -o small.lac\n"
                "lacuna compile int.onnx -o - | lacuna info -",
    .about =
        "Lowers the model to the integer graph, proves that no accumulator can overflow, lists the weights "
        "that "
        "are not zero, and lays the activations out in the engine's memory. An image runs only on the engine "
        "that it was compiled for.",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(compile_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_UNSUPPORTED, LAC_E_SHAPE,
                                  LAC_E_RANGE, LAC_E_CAPACITY, LAC_OK},
    .run = run,
};
