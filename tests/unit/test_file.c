#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "file.h"

static char folder[64];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/lacuna-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static void writes_whole_files_and_reads_them_back(void **state) {
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/a", folder);
    uint8_t data[100000];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * i);
    assert_int_equal(lac_file_write(path, data, sizeof data, NULL), LAC_OK);
    lac_arena *arena = lac_arena_open();
    lac_bytes back;
    assert_int_equal(lac_file_read(path, arena, &back, NULL), LAC_OK);
    assert_int_equal(back.n, sizeof data);
    assert_memory_equal(back.data, data, sizeof data);
    lac_arena_close(arena);
    unlink(path);
}

static void aborted_file_leaves_nothing(void **state) {
    (void)state;
    char path[128], temporary[140];
    snprintf(path, sizeof path, "%s/b", folder);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    lac_file_out out;
    assert_int_equal(lac_file_begin(&out, path, NULL), LAC_OK);
    assert_int_equal(access(temporary, F_OK), 0);
    lac_file_abort(&out);
    assert_int_not_equal(access(temporary, F_OK), 0);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void devices_are_written_in_place(void **state) {
    (void)state;
    lac_error err = {0};
    assert_int_equal(lac_file_write("/dev/null", "x", 1, NULL), LAC_OK);
    assert_int_equal(lac_file_write("/dev/full", "x", 1, &err), LAC_E_IO);
    assert_non_null(strstr(err.text, "No space left on device"));
    struct stat there;
    assert_int_equal(stat("/dev/full", &there), 0);
    assert_true(S_ISCHR(there.st_mode));
    assert_int_not_equal(access("/dev/null.tmp", F_OK), 0);
}

static void full_disk_says_so_and_leaves_nothing(void **state) {
    (void)state;
    lac_error err = {0};
    lac_file_out out;
    // /dev/full takes an open and refuses every write: the stream's buffer is flushed at commit.
    out = (lac_file_out){.stream = fopen("/dev/full", "wb")};
    snprintf(out.path, sizeof out.path, "%s/c", folder);
    snprintf(out.temporary, sizeof out.temporary, "%s/c.tmp", folder);
    assert_non_null(out.stream);
    fputs("data", out.stream);
    assert_int_equal(lac_file_commit(&out, &err), LAC_E_IO);
    assert_non_null(strstr(err.text, "No space left"));
    assert_int_not_equal(access(out.path, F_OK), 0);
}

static void missing_and_unwritable_are_different_errors(void **state) {
    (void)state;
    lac_error err = {0};
    lac_bytes bytes;
    lac_arena *arena = lac_arena_open();
    assert_int_equal(lac_file_read("/nowhere/file", arena, &bytes, &err), LAC_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/file"));
    assert_int_equal(lac_file_write("/nowhere/file", "x", 1, &err), LAC_E_IO);
    assert_int_equal(lac_file_read("/", arena, &bytes, &err), LAC_E_IO);
    lac_arena_close(arena);
}

static void crc_is_the_standard_one(void **state) {
    (void)state;
    assert_int_equal(lac_crc32(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(lac_crc32(lac_crc32(0, "1234", 4), "56789", 5), 0xCBF43926);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_whole_files_and_reads_them_back),
        cmocka_unit_test(aborted_file_leaves_nothing),
        cmocka_unit_test(devices_are_written_in_place),
        cmocka_unit_test(full_disk_says_so_and_leaves_nothing),
        cmocka_unit_test(missing_and_unwritable_are_different_errors),
        cmocka_unit_test(crc_is_the_standard_one),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
