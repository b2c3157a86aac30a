#include "opencl_find.h"

#include "opencl_error.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };

static void describe(cl_platform_id platform, cl_device_id device, int index, lac_opencl_choice *out) {
    *out = (lac_opencl_choice){.platform = platform, .device = device, .index = index};
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof out->platform_name - 1, out->platform_name, NULL);
    clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof out->device_name - 1, out->device_name, NULL);
    // The name is the documented mark; its version strings say 1.0 although it has the calls of 1.2.
    out->is_xilinx = strcmp(out->platform_name, "Xilinx") == 0;
}

static cl_uint platforms_of(cl_platform_id platforms[MOST]) {
    cl_uint n = 0;
    if (clGetPlatformIDs(MOST, platforms, &n) != CL_SUCCESS) return 0;
    return n < MOST ? n : MOST;
}

bool lac_opencl_row(int i, lac_opencl_choice *out) {
    cl_platform_id platforms[MOST];
    cl_uint n_platforms = platforms_of(platforms);
    for (cl_uint p = 0; p < n_platforms; p++) {
        cl_device_id devices[MOST];
        cl_uint n = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MOST, devices, &n) != CL_SUCCESS) continue;
        if (n > MOST) n = MOST;
        if (i < (int)n) {
            describe(platforms[p], devices[i], i, out);
            return true;
        }
        i -= (int)n;
    }
    return false;
}

static bool contains(const char *text, const char *part, size_t n) {
    for (; strlen(text) >= n; text++) {
        size_t i = 0;
        while (i < n && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i])) i++;
        if (i == n) return true;
        if (!*text) break;
    }
    return false;
}

static lac_status none(const char *wanted, lac_error *err) {
    char list[400] = "";
    lac_opencl_choice row;
    for (int i = 0; lac_opencl_row(i, &row); i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s'%s:%d' (%s)", i ? ", " : "", row.platform_name,
                 row.index, row.device_name);
    }
    if (!list[0]) return lac_opencl_fail(err, -1001, "no device");
    LAC_FAIL(err, LAC_E_NOT_FOUND, "device opencl: no device '%s'; there is %s", wanted, list);
}

lac_status lac_opencl_find(const char *wanted, lac_opencl_choice *out, lac_error *err) {
    if (!wanted) wanted = "";
    const char *colon = strrchr(wanted, ':');
    size_t n = colon ? (size_t)(colon - wanted) : strlen(wanted);
    char *end = NULL;
    long index = colon ? strtol(colon + 1, &end, 10) : 0;
    if (colon && (*end || end == colon + 1))
        LAC_FAIL(err, LAC_E_USAGE, "device opencl: '%s' is not NAME or NAME:NUMBER", wanted);
    lac_opencl_choice row;
    for (int i = 0; lac_opencl_row(i, &row); i++) {
        if (row.index != index || !contains(row.platform_name, wanted, n)) continue;
        *out = row;
        return LAC_OK;
    }
    return none(wanted, err);
}

#if defined(__SANITIZE_ADDRESS__)
#define LAC_LEAK_CHECK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LAC_LEAK_CHECK 1
#endif
#endif
#ifdef LAC_LEAK_CHECK
// What runtimes and their compilers keep until the end of the process is not a leak of ours; nor is anything
// of C++, whose frames clang's unwinder does not see beyond.
const char *__lsan_default_suppressions(void);  // NOLINT: the name is the sanitizer's
const char *__lsan_default_suppressions(void) { // NOLINT
    return "leak:libpocl\nleak:libLLVM\nleak:libclang\nleak:liboclgrind\nleak:libstdc++\n";
}
// gcc before 14 and clang before 17 take a block of thread-local memory for one with a header, by chance of
// its address, and the leak check then dies of it (google/sanitizers, fixed upstream).
const char *__lsan_default_options(void);  // NOLINT
const char *__lsan_default_options(void) { // NOLINT
    return "print_suppressions=0:intercept_tls_get_addr=0";
}
#endif
