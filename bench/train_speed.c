// Training speed of a network: images/s and GMAC/s, and with -k the kernel that each step runs on.
//
//   train_speed [-k] [NET [BATCH [STEPS]]]
#include "float_plan.h"
#include "talk.h"
#include "train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show_kernel(void *ctx, const char *node, const char *kernel) {
    (void)ctx;
    printf("  %-20s %s\n", node, kernel);
}

static const lac_net_desc *find(const char *name) {
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, name) == 0) return lac_net_row(i);
    return NULL;
}

static lac_status measure(const lac_net_desc *net, int batch, int n_steps, bool kernels, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = net->build(arena, 1, 28, 28, 10, 1);
    lac_plan *plan = NULL;
    LAC_TRY(lac_graph_infer(graph, err));
    LAC_TRY(lac_plan_open(graph, &(lac_plan_config){.batch = batch, .train = true}, &plan, err));
    if (kernels) lac_plan_kernels(plan, show_kernel, NULL);
    double forward = 0, backward = 0;
    for (int i = -2; i < n_steps; i++) {
        double t0 = lac_now_s();
        LAC_TRY(lac_plan_forward(plan, err));
        double t1 = lac_now_s();
        LAC_TRY(lac_plan_backward(plan, err));
        if (i < 0) continue;
        forward += t1 - t0;
        backward += lac_now_s() - t1;
    }
    double macs = (double)lac_graph_conv_macs(graph), images = (double)batch * n_steps;
    printf("%-12s batch %d: %.0f images/s; forward %.2f ms %.1f GMAC/s, backward %.2f ms %.1f GMAC/s (%.2f "
           "MMAC)\n",
           net->name, batch, images / (forward + backward), 1e3 * forward / n_steps,
           1e-9 * macs * images / forward, 1e3 * backward / n_steps, 2e-9 * macs * images / backward,
           1e-6 * macs);
    lac_plan_close(plan);
    lac_arena_close(arena);
    return LAC_OK;
}

int main(int argc, char **argv) {
    bool kernels = argc > 1 && strcmp(argv[1], "-k") == 0;
    argv += kernels;
    argc -= kernels;
    const lac_net_desc *net = find(argc > 1 ? argv[1] : "lacuna-tiny");
    int batch = argc > 2 ? atoi(argv[2]) : 128, n_steps = argc > 3 ? atoi(argv[3]) : 50;
    lac_error err = {0};
    if (!net || batch < 1 || n_steps < 1) {
        fprintf(stderr, "train_speed: unknown network, or a number below 1\n");
        return 2;
    }
    if (measure(net, batch, n_steps, kernels, &err) == LAC_OK) return 0;
    fprintf(stderr, "train_speed: %s\n", err.text);
    return 1;
}
