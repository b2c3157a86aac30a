#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "progress.h"

typedef struct screen {
    lac_progress progress;
    lac_talk talk;
    char *text;
    size_t n;
    FILE *out;
} screen;

static void open_screen(screen *s, bool tty, bool quiet) {
    s->out = open_memstream(&s->text, &s->n);
    lac_progress_begin(&s->progress, s->out, tty, quiet);
    s->talk = lac_progress_talk(&s->progress);
}

static void close_screen(screen *s) {
    fclose(s->out);
    free(s->text);
}

static void logs_get_no_line_for_a_short_job(void **state) {
    (void)state;
    screen s;
    open_screen(&s, false, false);
    for (uint64_t i = 1; i <= 100; i++) lac_talk_step(&s.talk, "train", i, 100, "loss %d", 1);
    lac_progress_end(&s.progress);
    assert_string_equal(s.text, "");
    close_screen(&s);
}

static void logs_get_a_line_when_ten_seconds_have_passed(void **state) {
    (void)state;
    screen s;
    open_screen(&s, false, false);
    lac_talk_step(&s.talk, "train", 1, 100, "loss 2");
    s.progress.begin_s -= 20; // twenty seconds ago
    s.progress.drawn_s -= 20;
    lac_talk_step(&s.talk, "train", 50, 100, "loss 1");
    lac_talk_step(&s.talk, "train", 51, 100, "loss 1");
    lac_progress_end(&s.progress);
    assert_string_equal(s.text, "train:  50 %, 0:20 left, loss 1\n");
    close_screen(&s);
}

static void terminals_get_a_bar_that_leaves_the_line_for_a_note(void **state) {
    (void)state;
    screen s;
    open_screen(&s, true, false);
    lac_talk_step(&s.talk, "train", 0, 4, "x");
    s.progress.begin_s -= 10;
    s.progress.drawn_s -= 10;
    lac_talk_step(&s.talk, "train", 1, 4, "loss 1");
    lac_talk_note(&s.talk, "a remark");
    lac_progress_end(&s.progress);
    assert_string_equal(s.text,
                        "train      [######..................]  25 %, 0:30 left, loss 1\r\033[Ka remark\n");
    close_screen(&s);
}

static void quiet_says_nothing(void **state) {
    (void)state;
    screen s;
    open_screen(&s, true, true);
    lac_talk_step(&s.talk, "train", 0, 4, "x");
    s.progress.drawn_s -= 10;
    lac_talk_step(&s.talk, "train", 4, 4, "x");
    lac_talk_note(&s.talk, "a remark");
    lac_progress_end(&s.progress);
    assert_string_equal(s.text, "");
    close_screen(&s);
}

static void prints_times(void **state) {
    (void)state;
    char text[32];
    assert_string_equal(lac_progress_time(0, text), "0:00");
    assert_string_equal(lac_progress_time(65, text), "1:05");
    assert_string_equal(lac_progress_time(7265, text), "2:01:05");
    assert_string_equal(lac_progress_time(-1, text), "0:00");
}

static void first_interrupt_raises_the_stop_flag(void **state) {
    (void)state;
    screen s;
    open_screen(&s, false, false);
    lac_progress_catch_signals();
    assert_false(lac_talk_stop(&s.talk));
    raise(SIGINT);
    assert_true(lac_talk_stop(&s.talk));
    struct sigaction now;
    sigaction(SIGINT, NULL, &now);
    assert_true(now.sa_handler == SIG_DFL); // so that the second one ends the process
    lac_progress_end(&s.progress);
    close_screen(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_get_no_line_for_a_short_job),
        cmocka_unit_test(logs_get_a_line_when_ten_seconds_have_passed),
        cmocka_unit_test(terminals_get_a_bar_that_leaves_the_line_for_a_note),
        cmocka_unit_test(quiet_says_nothing),
        cmocka_unit_test(prints_times),
        cmocka_unit_test(first_interrupt_raises_the_stop_flag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
