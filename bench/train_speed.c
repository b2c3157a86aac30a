// Training speed of a network on random images: whole steps (forward, loss, backward, update) a second, the peak
// memory of the process, and with -k the kernel that each call runs on.
//
//   train_speed [-k] [-b] [-t] [NET [BATCH [STEPS [CHANNELS PIXELS]]]]
//     -b  in bf16
//     -t  as a row for bench/train: name, precision, images a second, images a CPU second, peak MB, parameters
#include "float_plan.h"
#include "loss.h"
#include "optimizer.h"
#include "rng.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct bench {
    const lac_net_desc *net;
    int batch, n_steps, channels, pixels;
    bool kernels, row;
    lac_precision precision;
    lac_arena *arena;
    lac_graph *graph;
    lac_plan *plan;
    lac_optimizer_state optimizer;
    uint8_t *labels;
    double forward, backward, update; // seconds
    double cpu;                       // seconds of all threads
} bench;

static void show_kernel(void *ctx, const char *node, const char *kernel) {
    (void)ctx;
    printf("  %-20s %s\n", node, kernel);
}

static const lac_net_desc *find(const char *name) {
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, name) == 0) return lac_net_row(i);
    return NULL;
}

static lac_status make(bench *b, lac_error *err) {
    lac_recipe recipe = {.scale_lr = 1, .weight_decay = 5e-4f};
    lac_rng rng = lac_rng_make(1, 1);
    lac_plan_config config = {.batch = b->batch, .train = true, .precision = b->precision};
    b->graph = b->net->build(b->arena, b->channels, b->pixels, b->pixels, 10, 1);
    if (!b->graph) LAC_FAIL(err, LAC_E_SHAPE, "%s does not take %dx%d pixels", b->net->name, b->pixels, b->pixels);
    LAC_TRY(lac_graph_infer(b->graph, err));
    LAC_TRY(lac_plan_open(b->graph, &config, &b->plan, err));
    b->optimizer = lac_optimizer_make(b->graph, &recipe, b->arena);
    b->labels = LAC_NEW_ARRAY(b->arena, uint8_t, b->batch);
    for (int i = 0; i < b->batch; i++) b->labels[i] = (uint8_t)lac_rng_below(&rng, 10);
    float *x = lac_plan_input(b->plan);
    for (int i = 0; i < b->batch * b->channels * b->pixels * b->pixels; i++) x[i] = lac_rng_normal(&rng);
    return LAC_OK;
}

static lac_status step(bench *b, int i, lac_error *err) {
    double t0 = lac_now_s();
    LAC_TRY(lac_plan_forward(b->plan, err));
    double t1 = lac_now_s();
    lac_softmax_cross_entropy(lac_plan_output(b->plan), b->labels, (uint32_t)b->batch, 10, 0,
                              lac_plan_output_gradient(b->plan));
    LAC_TRY(lac_plan_backward(b->plan, err));
    double t2 = lac_now_s();
    lac_optimizer_update(&b->optimizer, b->graph, b->plan, 1e-3f, (uint64_t)(i < 0 ? 0 : i));
    if (i < 0) return LAC_OK;
    b->forward += t1 - t0;
    b->backward += t2 - t1;
    b->update += lac_now_s() - t2;
    return LAC_OK;
}

static double cpu_now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void report_row(const bench *b, double peak_mb) {
    int64_t n = 0;
    double images = (double)b->batch * b->n_steps;
    for (int i = 0; i < b->optimizer.n_parameters; i++) n += b->optimizer.parameters[i].n;
    printf("%s %s %.1f %.1f %.1f %lld\n", b->net->name, b->precision == LAC_BF16 ? "bf16" : "f32",
           images / (b->forward + b->backward + b->update), images / b->cpu, peak_mb, (long long)n);
}

static void report(const bench *b) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (b->row) {
        report_row(b, 1e-3 * (double)usage.ru_maxrss);
        return;
    }
    double macs = (double)lac_graph_conv_macs(b->graph), images = (double)b->batch * b->n_steps;
    printf("%s batch %d %s: %.0f images/s, peak %.1f MB, plan %.1f MB; forward %.2f ms %.1f GMAC/s, backward "
           "%.2f ms %.1f GMAC/s, update %.2f ms (%.2f MMAC)\n",
           b->net->name, b->batch, b->precision == LAC_BF16 ? "bf16" : "f32",
           images / (b->forward + b->backward + b->update), 1e-3 * (double)usage.ru_maxrss,
           1e-6 * (double)lac_plan_memory_bytes(b->plan), 1e3 * b->forward / b->n_steps,
           1e-9 * macs * images / b->forward, 1e3 * b->backward / b->n_steps,
           2e-9 * macs * images / b->backward, 1e3 * b->update / b->n_steps, 1e-6 * macs);
}

static lac_status measure(bench *b, lac_error *err) {
    LAC_TRY(make(b, err));
    if (b->kernels) lac_plan_kernels(b->plan, show_kernel, NULL);
    for (int i = -2; i < b->n_steps; i++) {
        if (i == 0) b->cpu = -cpu_now_s();
        LAC_TRY(step(b, i, err));
    }
    b->cpu += cpu_now_s();
    report(b);
    return LAC_OK;
}

static int number(int argc, char **argv, int i, int otherwise) {
    return i < argc ? atoi(argv[i]) : otherwise;
}

int main(int argc, char **argv) {
    bench b = {0};
    for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
        if (strcmp(argv[1], "-k") == 0) b.kernels = true;
        if (strcmp(argv[1], "-t") == 0) b.row = true;
        if (strcmp(argv[1], "-b") == 0) b.precision = LAC_BF16;
    }
    b.net = find(argc > 1 ? argv[1] : "lacuna-tiny");
    b.batch = number(argc, argv, 2, 128);
    b.n_steps = number(argc, argv, 3, 50);
    b.channels = number(argc, argv, 4, 1);
    b.pixels = number(argc, argv, 5, 28);
    lac_error err = {0};
    if (!b.net || b.batch < 1 || b.n_steps < 1 || b.channels < 1 || b.pixels < 1) {
        fprintf(stderr, "train_speed: unknown network, or a number below 1\n");
        return 2;
    }
    b.arena = lac_arena_open();
    lac_status status = measure(&b, &err);
    if (status != LAC_OK) fprintf(stderr, "train_speed: %s\n", err.text);
    lac_plan_close(b.plan);
    lac_arena_close(b.arena);
    return lac_status_exit_code(status);
}
