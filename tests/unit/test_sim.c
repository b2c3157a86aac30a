#include "sim.h"

#include "lac_contract.h"
#include "threads.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const lac_sim_config tiny = {
    .mesh_x = 1, .mesh_y = 1, .drain = 1, .acc_bits = 24, .act_words = 64, .list_words = 64, .act_bits = 8};

static void shell(const char *command) {
    assert_int_equal(system(command), 0);
}

/// Files of a directory whose name ends so.
static int n_files(const char *directory, const char *end) {
    DIR *dir = opendir(directory);
    assert_non_null(dir);
    int n = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t length = strlen(entry->d_name), tail = strlen(end);
        n += length >= tail && strcmp(entry->d_name + length - tail, end) == 0;
    }
    closedir(dir);
    return n;
}

static void rejects_parameters_outside_the_contract_and_names_them(void **state) {
    (void)state;
    lac_sim *sim = NULL;
    lac_error err = {0};
    lac_sim_config config = tiny;
    config.mesh_x = 33;
    assert_int_equal(lac_sim_open(&config, NULL, &sim, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "MESH_X is 33"));
    assert_non_null(strstr(err.text, "1..32"));
    config = tiny;
    config.mesh_x = 4;
    config.drain = 3;
    assert_int_equal(lac_sim_open(&config, NULL, &sim, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "DRAIN is 3"));
    assert_null(sim);
}

static void names_a_missing_source(void **state) {
    (void)state;
    lac_sim *sim = NULL;
    lac_error err = {0};
    lac_sim_config config = tiny;
    config.rtl_dir = "no_such_rtl";
    assert_int_equal(lac_sim_open(&config, NULL, &sim, &err), LAC_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "no_such_rtl"));
}

static void keeps_the_log_of_a_failed_build_and_nothing_else(void **state) {
    (void)state;
    lac_sim *sim = NULL;
    lac_error err = {0};
    lac_sim_config config = tiny;
    shell("rm -rf broken_rtl broken_cache && cp -r '" LAC_RTL_SOURCE_DIR "/rtl' broken_rtl && "
          "echo 'this is no Verilog' >> broken_rtl/engine/drain.v");
    config.rtl_dir = "broken_rtl";
    config.cache_dir = "broken_cache";
    assert_int_equal(lac_sim_open(&config, NULL, &sim, &err), LAC_E_DEVICE);
    const char *log = strstr(err.text, "kept in ");
    assert_non_null(strstr(err.text, "verilator failed"));
    assert_non_null(log);
    struct stat info;
    assert_int_equal(stat(log + strlen("kept in "), &info), 0);
    assert_true(info.st_size > 0);
    assert_int_equal(n_files("broken_cache", ".so"), 0);
    assert_int_equal(n_files("broken_cache", ""), 4); // ., .., the lock, the log
}

typedef struct opening {
    lac_sim_config config;
    lac_sim *sims[3];
    lac_status status[3];
    lac_error errors[3];
    int n_builds[3];
} opening;

static void count_note(void *ctx, const char *sentence) {
    int *n = ctx;
    *n += strstr(sentence, "building") != NULL;
}

static void open_one(void *ctx, size_t item, int worker) {
    (void)worker;
    opening *o = ctx;
    lac_talk talk = {.note = count_note, .ctx = &o->n_builds[item]};
    o->status[item] = lac_sim_open(&o->config, &talk, &o->sims[item], &o->errors[item]);
}

static const uint64_t end_program[] = {2};

static void concurrent_users_build_one_model_and_run_apart(void **state) {
    (void)state;
    shell("rm -rf shared_cache");
    opening o = {.config = tiny};
    o.config.cache_dir = "shared_cache/deeper";
    lac_parallel_for(3, 3, open_one, &o);
    int builds = 0;
    for (int i = 0; i < 3; i++) {
        if (o.status[i] != LAC_OK) fail_msg("%s", o.errors[i].text);
        builds += o.n_builds[i];
    }
    assert_int_equal(builds, 1);
    assert_int_equal(n_files("shared_cache/deeper", ".so"), 1);
    assert_int_equal(n_files("shared_cache/deeper", ""), 4); // ., .., the lock, the model
    // One that stands still does not disturb the others.
    lac_error err = {0};
    uint64_t cycles = 0, half[] = {1};
    assert_int_equal(lac_sim_run(o.sims[0], half, 1, NULL, 0, NULL, NULL, &cycles, &err), LAC_E_DEVICE);
    assert_int_equal(lac_sim_run(o.sims[1], end_program, 1, NULL, 0, NULL, NULL, &cycles, &err), LAC_OK);
    assert_true(cycles < 20);
    for (int i = 0; i < 3; i++) lac_sim_close(o.sims[i]);
    // A later user finds it.
    int n = 0;
    lac_talk talk = {.note = count_note, .ctx = &n};
    assert_int_equal(lac_sim_open(&o.config, &talk, &o.sims[0], &err), LAC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(lac_sim_contract(o.sims[0]), LAC_CONTRACT_HASH);
    lac_sim_close(o.sims[0]);
}

static void records_a_waveform_of_the_window(void **state) {
    (void)state;
    lac_sim *sim = NULL;
    lac_error err = {0};
    uint64_t cycles = 0;
    assert_int_equal(lac_sim_open(&tiny, NULL, &sim, &err), LAC_OK);
    assert_int_equal(lac_sim_trace(sim, "empty.fst", 5, 5, &err), LAC_E_RANGE);
    assert_int_equal(lac_sim_trace(sim, "no/such/directory/w.fst", 0, 5, &err), LAC_E_IO);
    assert_non_null(strstr(err.text, "no/such/directory"));
    assert_int_equal(lac_sim_trace(sim, "window.fst", 1, 4, &err), LAC_OK);
    assert_int_equal(lac_sim_run(sim, end_program, 1, NULL, 0, NULL, NULL, &cycles, &err), LAC_OK);
    struct stat info;
    assert_int_equal(stat("window.fst", &info), 0);
    assert_true(info.st_size > 500);
    // Only the next run is recorded.
    shell("rm window.fst");
    assert_int_equal(lac_sim_run(sim, end_program, 1, NULL, 0, NULL, NULL, &cycles, &err), LAC_OK);
    assert_int_not_equal(stat("window.fst", &info), 0);
    lac_sim_close(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejects_parameters_outside_the_contract_and_names_them),
        cmocka_unit_test(names_a_missing_source),
        cmocka_unit_test(keeps_the_log_of_a_failed_build_and_nothing_else),
        cmocka_unit_test(concurrent_users_build_one_model_and_run_apart),
        cmocka_unit_test(records_a_waveform_of_the_window),
    };
    return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
