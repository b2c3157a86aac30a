#ifndef LAC_JUDGE_H
#define LAC_JUDGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/// Models in a folder of their own, judged by the standard's checker (the distribution's python3-onnx) and by
/// ONNX Runtime, that of the interpreter which the environment names in LACUNA_PYTHON, else the
/// distribution's.

enum { NOT_INSTALLED = 77 };

static char folder[64], model_path[128], plain_path[128], x_path[128], logits_path[128];

static inline int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/lacuna-test-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(model_path, sizeof model_path, "%s/model.onnx", folder);
    snprintf(plain_path, sizeof plain_path, "%s/plain.onnx", folder);
    snprintf(x_path, sizeof x_path, "%s/x.bin", folder);
    snprintf(logits_path, sizeof logits_path, "%s/logits.bin", folder);
    return 0;
}

static inline int remove_folder(void **state) {
    (void)state;
    unlink(model_path);
    unlink(plain_path);
    unlink(x_path);
    unlink(logits_path);
    return rmdir(folder);
}

static const char checker[] = "/usr/bin/python3";

static inline const char *runtime(void) {
    const char *python = getenv("LACUNA_PYTHON");
    return python && *python ? python : checker;
}

// Exit code of the judge; its last line into text.
static inline int judge(const char *python, const char *arguments, char text[512]) {
    char command[2048];
    snprintf(command, sizeof command, "'%s' '%s/tests/conform/onnx_agrees.py' %s 2>&1", python,
             LAC_SOURCE_DIR, arguments);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    text[0] = 0;
    for (char line[512]; fgets(line, sizeof line, out);) strcpy(text, line);
    text[strcspn(text, "\n")] = 0;
    int status = pclose(out);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == NOT_INSTALLED)
        print_message(
            "%s: apt-get install python3-onnx, and set LACUNA_PYTHON to an interpreter with onnxruntime\n",
            text);
    return code;
}

#endif
