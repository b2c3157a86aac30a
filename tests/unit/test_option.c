#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "option.h"

typedef struct args {
    bool fast;
    int bits, method, mesh[2];
    float lr;
    double density;
    uint64_t seed;
    const char *input, *output, *device, *devices;
} args;

static const char *methods(int i) {
    static const char *const names[] = {"magnitude", "random", "gradient", NULL};
    return names[i];
}

static const lac_option options[] = {
    {.name = "MODEL",
     .kind = LAC_OPT_TEXT,
     .operand = true,
     .offset = offsetof(args, input),
     .help = "to read"},
    {.name = "output",
     .letter = 'o',
     .kind = LAC_OPT_TEXT,
     .required = true,
     .offset = offsetof(args, output),
     .help = "to write"},
    {.name = "bits",
     .letter = 'b',
     .kind = LAC_OPT_INT,
     .offset = offsetof(args, bits),
     .lowest = 1,
     .highest = 8,
     .fallback = "4"},
    {.name = "lr", .kind = LAC_OPT_FLOAT, .offset = offsetof(args, lr), .lowest = 0, .highest = 10},
    {.name = "density",
     .kind = LAC_OPT_DOUBLE,
     .offset = offsetof(args, density),
     .lowest = 0.001,
     .highest = 1,
     .fallback = "0.2"},
    {.name = "seed", .kind = LAC_OPT_U64, .offset = offsetof(args, seed), .highest = LAC_OPTION_ANY_U64},
    {.name = "method", .kind = LAC_OPT_INDEX, .offset = offsetof(args, method), .names = methods},
    {.name = "device", .kind = LAC_OPT_CHOICE, .offset = offsetof(args, device), .names = methods},
    {.name = "devices", .kind = LAC_OPT_LIST, .offset = offsetof(args, devices), .names = methods},
    {.name = "mesh", .kind = LAC_OPT_GRID, .offset = offsetof(args, mesh), .lowest = 1, .highest = 32},
    {.name = "fast", .letter = 'f', .kind = LAC_OPT_FLAG, .offset = offsetof(args, fast)},
};

enum { N_OPTIONS = sizeof options / sizeof options[0] };

/// Parses words that end with NULL.
static lac_status parse(args *out, lac_error *err, char **words) {
    int n = 0;
    while (words[n]) n++;
    memset(out, 0, sizeof *out);
    return lac_option_parse(options, N_OPTIONS, n, words, out, err);
}

#define PARSE(out, err, ...) parse((out), (err), (char *[]){__VA_ARGS__, NULL})

static void reads_every_kind(void **state) {
    (void)state;
    args a;
    assert_int_equal(PARSE(&a, NULL, "in.onnx", "-o", "out", "--bits=3", "--lr", "0.5", "--density", "1e-1",
                           "--seed", "18446744073709551615", "--method", "gradient", "--device", "random",
                           "--devices", "random,magnitude", "--mesh", "7x5", "-f"),
                     LAC_OK);
    assert_string_equal(a.input, "in.onnx");
    assert_string_equal(a.output, "out");
    assert_int_equal(a.bits, 3);
    assert_float_equal(a.lr, 0.5, 0);
    assert_true(a.density == 0.1);
    assert_true(a.seed == UINT64_MAX);
    assert_int_equal(a.method, 2);
    assert_string_equal(a.device, "random");
    assert_string_equal(a.devices, "random,magnitude");
    assert_int_equal(a.mesh[0], 7);
    assert_int_equal(a.mesh[1], 5);
    assert_true(a.fast);
}

static void fills_in_defaults_and_lets_the_last_word_win(void **state) {
    (void)state;
    args a;
    assert_int_equal(PARSE(&a, NULL, "-oa", "in", "--output", "b"), LAC_OK);
    assert_int_equal(a.bits, 4);
    assert_true(a.density == 0.2);
    assert_string_equal(a.output, "b");
    assert_false(a.fast);
}

static void dash_is_an_operand_and_two_dashes_end_the_options(void **state) {
    (void)state;
    args a;
    assert_int_equal(PARSE(&a, NULL, "-", "-o", "-"), LAC_OK);
    assert_string_equal(a.input, "-");
    assert_string_equal(a.output, "-");
    assert_int_equal(PARSE(&a, NULL, "-o", "x", "--", "--odd.onnx"), LAC_OK);
    assert_string_equal(a.input, "--odd.onnx");
}

static void says(const char *sentence, lac_status status, const lac_error *err) {
    assert_int_equal(status, LAC_E_USAGE);
    assert_string_equal(err->text, sentence);
}

static void unknown_option_names_the_nearest(void **state) {
    (void)state;
    args a;
    lac_error err = {0};
    says("there is no option '--densty'; did you mean '--density'?",
         PARSE(&a, &err, "in", "-o", "x", "--densty", "1"), &err);
    says("there is no option '--xyzzy'; --help lists them", PARSE(&a, &err, "in", "--xyzzy=3"), &err);
    says("there is no option '-z'; --help lists them", PARSE(&a, &err, "in", "-z"), &err);
}

static void wrong_value_names_the_value_and_the_range(void **state) {
    (void)state;
    args a;
    lac_error err = {0};
    says("--bits takes 1..8, not '9'", PARSE(&a, &err, "in", "-o", "x", "-b", "9"), &err);
    says("--bits takes 1..8, not '2.5'", PARSE(&a, &err, "in", "-o", "x", "--bits=2.5"), &err);
    says("--bits takes 1..8, not '3x'", PARSE(&a, &err, "in", "-o", "x", "--bits=3x"), &err);
    says("--bits takes 1..8, not ''", PARSE(&a, &err, "in", "-o", "x", "--bits="), &err);
    says("--density takes 0.001..1, not 'nan'", PARSE(&a, &err, "in", "-o", "x", "--density", "nan"), &err);
    says("--seed takes 0..1.844674407e+19, not '-1'", PARSE(&a, &err, "in", "-o", "x", "--seed", "-1"), &err);
    says("--mesh takes COLUMNSxROWS, each 1..32, not '7x33'", PARSE(&a, &err, "in", "--mesh", "7x33"), &err);
    says("--method takes magnitude|random|gradient, not 'magnitud'; did you mean 'magnitude'?",
         PARSE(&a, &err, "in", "--method", "magnitud"), &err);
    says("--devices takes magnitude|random|gradient, not 'q'", PARSE(&a, &err, "in", "--devices", "random,q"),
         &err);
    says("--fast takes no value, and was given '1'", PARSE(&a, &err, "in", "--fast=1"), &err);
}

static void missing_words_are_named(void **state) {
    (void)state;
    args a;
    lac_error err = {0};
    says("MODEL is missing: to read", PARSE(&a, &err, "-o", "x"), &err);
    says("--output is missing: to write", PARSE(&a, &err, "in"), &err);
    says("--bits needs a value: 1..8", PARSE(&a, &err, "in", "-o", "x", "--bits"), &err);
    says("'more' is one word too many; --help shows the usage", PARSE(&a, &err, "in", "more", "-o", "x"),
         &err);
}

static void prints_values_as_they_were_typed(void **state) {
    (void)state;
    static const char *const expected[] = {
        "in", "x", "3", "0.1", "0.2", "7", "random", "gradient", "random,gradient", "7x5", "yes"};
    args a;
    char text[128];
    assert_int_equal(PARSE(&a, NULL, "in", "-o", "x", "-b3", "--lr", "0.1", "--seed", "7", "--method",
                           "random", "--device", "gradient", "--devices", "random,gradient", "--mesh", "7x5",
                           "-f"),
                     LAC_OK);
    for (int i = 0; i < N_OPTIONS; i++)
        assert_string_equal(lac_option_print(&options[i], &a, text), expected[i]);
}

static void nearest_knows_transpositions_beginnings_and_strangers(void **state) {
    (void)state;
    assert_string_equal(lac_option_nearest("rnadom", methods), "random");
    assert_string_equal(lac_option_nearest("grad", methods), "gradient");
    assert_null(lac_option_nearest("elephant", methods));
}

static void words_are_kept_without_their_folders(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"resnet8", "resnet8"},
                                           {"/home/a/b.onnx", "b.onnx"},
                                           {"cifar10:/data/x", "cifar10"},
                                           {"cifar10:x", "cifar10:x"},
                                           {"--data=mnist:a/b", "--data=mnist"},
                                           {"-o=../c.lac", "-o=c.lac"},
                                           {"--hint=a=b", "--hint=a=b"},
                                           {"a/b=c:d", "b=c:d"}};
    lac_arena *arena = lac_arena_open();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(lac_option_bare(arena, cases[i][0]), cases[i][1]);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_kept_without_their_folders),
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(fills_in_defaults_and_lets_the_last_word_win),
        cmocka_unit_test(dash_is_an_operand_and_two_dashes_end_the_options),
        cmocka_unit_test(unknown_option_names_the_nearest),
        cmocka_unit_test(wrong_value_names_the_value_and_the_range),
        cmocka_unit_test(missing_words_are_named),
        cmocka_unit_test(prints_values_as_they_were_typed),
        cmocka_unit_test(nearest_knows_transpositions_beginnings_and_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
